"""The build of a small book: what is executed, when, and what a failure or Ctrl-C leaves behind."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import psutil
import pytest
from minibook import MiniBook

from book.builder import executed, interrupts, processes
from book.builder.__main__ import main, only_build
from book.builder.chapters import Chapter
from book.builder.errors import BuildError
from book.builder.needs import run_steps
from book.builder.paths import Paths
from book.builder.staging import fit_for_print, stage
from book.regress.runs import chapters_of

DEADLINE = 120.0


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


@pytest.mark.slow
def test_content_decides_what_is_executed(mini: MiniBook) -> None:
    mini.module("colours", "SHADE = 1\n")
    mini.chapter("02_b", "from figures.colours import SHADE\nprint(SHADE)")
    mini.chapter("01_a", "print(seed)")
    assert mini.executes("--jobs", "1") == ["02_b", "01_a"], "in the order of the table of contents"
    assert mini.executes() == []
    for path in mini.root.rglob("*"):
        os.utime(path)
    assert mini.executes() == []
    mini.module("colours", "SHADE = 2\n")
    assert mini.executes() == ["02_b"]
    assert "2" in mini.executed("02_b").read_text()
    assert mini.executes("--seed", "5", "-p", "02_b:seed=0") == ["01_a"]
    mini.executed("01_a").write_text("{}")
    assert mini.executes("--seed", "5", "-p", "02_b:seed=0") == ["01_a"], "a damaged copy is made again"


@pytest.mark.slow
def test_some_chapters_into_another_folder(mini: MiniBook) -> None:
    mini.chapter("01_a", "print(seed)")
    mini.chapter("02_b", "print(seed)")
    assert mini.executes("--only", "02_b") == ["02_b"]
    assert mini.executes("--only", "02_b", "--seed", "1", "--into", "tiny-seed1") == ["02_b"]
    folders = (mini.root / "_build" / "executed").iterdir()
    assert sorted(folder.name for folder in folders) == ["tiny", "tiny-seed1"]
    assert mini.record("02_b")["parameters"]["seed"] == 0, "the book's own folder stays as it was"
    assert not mini.executed("01_a").exists()


@pytest.mark.slow
def test_the_record_says_how_a_chapter_was_made(mini: MiniBook) -> None:
    mini.chapter("01_a", "print(views)", parameters='profile = "lite"\nseed = 0\nviews = 3')
    assert mini.executes("-p", "01_a:views=4") == ["01_a"]
    record = mini.record("01_a")
    assert record["parameters"] == {"profile": "tiny", "seed": 0, "views": 4}
    assert record["seconds"] > 0
    assert record["versions"]["python"].startswith("3.")
    assert record["hardware"]["cores"] == processes.cores()
    assert '"4\\n"' in mini.executed("01_a").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-p", "01_a:veiws=4"], "01_a has no parameter veiws"),
        (["-p", "1_a:seed=4"], "no chapter '1_a'"),
        (["--profile", "huge"], "no profile 'huge'"),
        (["--only", "1_a"], "no chapter 1_a; known: 01_a"),
    ],
)
def test_a_wrong_name_stops_the_build_before_it_starts(
    mini: MiniBook,
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(interrupts, "listen", lambda: None)  # pytest's own Ctrl-C stays as it is
    mini.chapter("01_a", "print(1)")
    assert main(["--profile", "tiny", "--root", str(mini.root), *arguments]) == 1
    assert message in capsys.readouterr().err
    assert not (mini.root / "_build" / "executed").exists()


@pytest.mark.slow
def test_a_failing_chapter_is_named_with_cell_and_traceback(mini: MiniBook) -> None:
    mini.chapter("01_a", "ready = True", "# Then a text", "half = 1 / seed", "print('never')")
    result = mini.build()
    assert result.returncode == 1
    assert "01_a failed in cell 5" in result.stderr
    assert "half = 1 / seed" in result.stderr
    assert "ZeroDivisionError: division by zero" in result.stderr
    kept = mini.root / "_build" / "failed" / "tiny" / "01_a.ipynb"
    assert str(kept) in result.stderr
    counts = [cell.execution_count for cell in nbformat.read(kept, 4).cells if cell.cell_type == "code"]
    assert counts[-1] is None
    assert not mini.executed("01_a").exists()
    assert not (mini.root / "_build" / "html").exists()

    mini.chapter("01_a", "print('mended')")
    assert mini.executes() == ["01_a"]
    assert not kept.exists()


@pytest.mark.slow
def test_a_kernel_that_dies_is_a_failure(mini: MiniBook) -> None:
    mini.chapter("01_a", "import os\nos._exit(3)")
    result = mini.build()
    assert result.returncode == 1
    assert "01_a failed" in result.stderr
    assert "Kernel died" in result.stderr


@pytest.mark.slow
def test_a_result_reported_twice_is_a_failure(mini: MiniBook) -> None:
    report = "from gem_lite.report import report\nreport('one', 1)"
    mini.chapter("01_a", report, report)
    result = mini.build()
    assert result.returncode == 1
    assert "'one' is reported twice" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_an_interrupt_leaves_no_process_and_nothing_half_written(
    mini: MiniBook, number: signal.Signals
) -> None:
    started = mini.root / "kernel.pid"
    say = "import os, pathlib, time\npathlib.Path('../kernel.pid').write_text(str(os.getpid()))"
    mini.chapter("01_a", "print('done')")
    assert mini.executes() == ["01_a"]
    mini.chapter("02_b", f"{say}\ntime.sleep(600)")
    build = subprocess.Popen(
        mini.command(), cwd=mini.root, env=mini.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    wait_for(lambda: started.is_file() and started.read_text() != "")
    family = psutil.Process(build.pid).children(recursive=True)
    kernel = psutil.Process(int(started.read_text()))
    assert kernel in family
    build.send_signal(number)
    _, errors = build.communicate(timeout=DEADLINE)

    assert build.returncode == 128 + number
    assert b"Interrupted" in errors
    assert b"Traceback" not in errors
    assert psutil.wait_procs(family, timeout=10)[1] == []
    build_folder = mini.root / "_build"
    left = (path for path in build_folder.rglob("*") if path.is_file() and path.name != ".lock")
    files = sorted(path.relative_to(build_folder) for path in left)
    assert files == [Path("executed/tiny/01_a.ipynb"), Path("executed/tiny/01_a.json")]


@pytest.mark.slow
def test_two_chapters_run_side_by_side(mini: MiniBook) -> None:
    """Each waits for a file that the other writes: one after the other they would never end."""
    meet = """
import os, pathlib, time
pathlib.Path("../{own}").touch()
while not pathlib.Path("../{other}").exists():
    time.sleep(0.05)
print("threads", os.environ["OMP_NUM_THREADS"])"""
    mini.chapter("01_a", meet.format(own="a", other="b"))
    mini.chapter("02_b", meet.format(own="b", other="a"))
    environment = {name: value for name, value in mini.environment.items() if name != "OMP_NUM_THREADS"}
    result = subprocess.run(
        mini.command("--no-pages", "--jobs", "2"), cwd=mini.root, env=environment, timeout=DEADLINE
    )
    assert result.returncode == 0
    threads = max(1, processes.cores() // 2)
    assert f"threads {threads}" in mini.executed("01_a").read_text()


def test_a_gpu_is_never_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "has_cuda_device", lambda: True)
    assert processes.jobs_and_threads(4) == (1, processes.cores())
    monkeypatch.setattr(processes, "has_cuda_device", lambda: False)
    monkeypatch.setattr(processes, "cores", lambda: 2)
    assert processes.jobs_and_threads(None) == (2, 1)


def test_a_hidden_cuda_device_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert not processes.has_cuda_device()


def test_a_second_build_of_one_checkout_is_refused(tmp_path: Path) -> None:
    paths = Paths(tmp_path, "tiny")
    with only_build(paths), pytest.raises(BuildError, match="another build is running"), only_build(paths):
        pass


FAKE_STEPS = """
import sys
with open("steps.log", "a") as log:
    print(*sys.argv[1:], file=log)
sys.exit("break" in sys.argv)
"""


def test_steps_run_once(mini: MiniBook, monkeypatch: pytest.MonkeyPatch) -> None:
    (mini.root / "fake_steps.py").write_text(FAKE_STEPS)
    monkeypatch.syspath_prepend(mini.root)
    monkeypatch.setattr("book.builder.needs.STEPS_MODULE", "fake_steps")
    monkeypatch.setenv("GEM_LITE_CACHE", str(mini.root / "cache"))
    mini.chapter("01_a", needs=["render"])
    mini.chapter("02_b", needs=["render", "pretrain"])
    mini.chapter("03_c")
    chapters = [Chapter(mini.book / f"{name}.ipynb") for name in mini.chapters]
    paths, log = Paths(mini.root, "tiny"), mini.root / "steps.log"

    run_steps(chapters[2:], {"profile": "tiny", "seed": 3}, paths)
    assert not log.exists(), "a chapter without needs starts nothing"
    for _ in range(2):
        run_steps(chapters, {"profile": "tiny", "seed": 3}, paths)
    assert log.read_text() == "render pretrain --profile tiny --seed 3\n"

    mini.chapter("04_d", needs=["break"])
    for _ in range(2):
        with pytest.raises(BuildError, match="steps break failed with exit code 1"):
            run_steps([Chapter(mini.book / "04_d.ipynb")], {"profile": "tiny", "seed": 3}, paths)


def test_a_damaged_copy_or_record_is_not_current(tmp_path: Path) -> None:
    paths = Paths(tmp_path, "tiny")
    made = tmp_path / "made.ipynb"
    made.write_text("{}")
    executed.keep(paths, "01_a", "key", made, {"seed": 0}, 1.0)
    assert executed.is_current(paths, "01_a", "key")
    assert not executed.is_current(paths, "01_a", "other key")
    executed.notebook_file(paths, "01_a").write_text("{ }")
    assert not executed.is_current(paths, "01_a", "key")
    executed.keep(paths, "01_a", "key", made, {"seed": 0}, 1.0)
    (paths.executed / "01_a.json").write_text('{"chapter": "01_a"}')
    assert not executed.is_current(paths, "01_a", "key")


def test_traces_of_the_execution_are_removed() -> None:
    traces = {"tags": ["injected-parameters"], "papermill": {"duration": 1}, "execution": {"busy": "now"}}
    cell = nbformat.v4.new_code_cell("seed = 1", metadata=traces)
    kept = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    metadata = {"papermill": {"duration": 3}, "widgets": {"state": 1}, **kept}
    printed = fit_for_print(nbformat.v4.new_notebook(cells=[cell], metadata=metadata))
    assert printed.cells[0].metadata == {"tags": ["injected-parameters", "remove-cell"]}
    assert printed.metadata == kept


def test_a_bar_that_has_ended_is_not_printed() -> None:
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "0%|  | 0/9"}
    shown = [
        nbformat.v4.new_output("display_data", {**view, "text/html": "<gem-p-slider>"}),
        nbformat.v4.new_output("display_data", {"image/png": "AA==", "text/plain": "<Figure>"}),
        nbformat.v4.new_output("stream", name="stdout", text="p = 3"),
    ]
    bar = nbformat.v4.new_output("display_data", view)
    cell = nbformat.v4.new_code_cell("draw()", outputs=[bar, *shown, bar])
    assert fit_for_print(nbformat.v4.new_notebook(cells=[cell])).cells[0].outputs == shown


@pytest.mark.slow
def test_under_a_profile_of_real_data_the_others_are_executed_on_toytown(mini: MiniBook) -> None:
    mini.chapter("01_town", "print(profile)")
    mini.chapter("02_real", "print(profile)", needs=["render"], real_data=True)
    result = mini.build("--no-pages", "--profile", "paper")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Steps" not in result.stdout, "Toytown is not rendered for a chapter on photographs"
    lines = {line.split()[0]: line for line in result.stdout.splitlines() if line.startswith("0")}
    assert "on Toytown, lite" in lines["01_town"]
    assert "Toytown" not in lines["02_real"]
    assert mini.executes("--profile", "paper") == []
    assert mini.executes("--profile", "lite", "--only", "01_town") == [], "the book's own, where it has one"

    paths = Paths(mini.root, "paper")
    assert [chapter.name for chapter in chapters_of(paths)] == ["02_real"], "results are compared apart"
    chapters = [Chapter(mini.book / f"{name}.ipynb") for name in mini.chapters]
    stage(chapters, paths)
    town, real = (nbformat.read(paths.staged / f"{name}.ipynb", 4).cells for name in mini.chapters)
    assert "executed on Toytown, with the profile `lite`" in town[0].source
    assert "executed on real photographs, with the profile `paper`" in real[0].source
    assert [cells[-1].outputs[0].text for cells in (town, real)] == ["lite\n", "paper\n"]
    status = (paths.staged / "status_records.txt").read_text()
    assert "Two profiles are mixed here, `lite` and `paper`" in status
