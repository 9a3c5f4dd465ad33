"""Jobs in several processes: all done once, errors come through, nobody is left behind."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from gem_lite.toytown.parallel import run_jobs, usable_cores


def note(folder: Path, number: int) -> int:
    """A job: one file, with the process that wrote it."""
    (folder / str(number)).write_text(str(os.getpid()))
    return 1


def fail(number: int) -> int:
    raise RuntimeError(f"job {number} is broken")


@pytest.mark.parametrize("workers", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_every_job_is_done(workers, tmp_path):
    run_jobs(note, [(tmp_path, number) for number in range(20)], title="", total=20, workers=workers)
    assert {int(path.name) for path in tmp_path.iterdir()} == set(range(20))
    here = str(os.getpid())
    assert all((path.read_text() == here) == (workers == 1) for path in tmp_path.iterdir())


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_an_error_in_a_job_comes_through(workers):
    with pytest.raises(RuntimeError, match=r"job \d is broken"):
        run_jobs(fail, [(number,) for number in range(4)], title="", total=4, workers=workers)


def test_no_jobs_are_no_work(tmp_path):
    run_jobs(note, [], title="", total=0)


def test_at_least_one_core_is_usable():
    assert usable_cores() >= 1


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a parent's death is not seen on Windows")
def test_workers_end_when_their_parent_is_killed(tmp_path):
    code = f"""
        import os, time
        from pathlib import Path
        from gem_lite.toytown.parallel import run_jobs

        def wait(number):
            Path({str(tmp_path)!r}, str(os.getpid())).touch()
            time.sleep(600)

        run_jobs(wait, [(0,), (1,)], title="", total=2, workers=2)
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stderr=subprocess.DEVNULL)
    wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
    workers = [int(path.name) for path in tmp_path.iterdir()]
    assert all(is_running(worker) for worker in workers)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_until(lambda: not any(is_running(worker) for worker in workers))


def wait_until(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
