"""Child processes that are really gone when the build ends, kernels and their own workers included."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from . import interrupts

GRACE_SECONDS = 5.0
MOST_JOBS = 4
POLL_SECONDS = 0.2

Process = subprocess.Popen[bytes]


def start(command: Sequence[str], env: dict[str, str], cwd: Path, log: Path | None = None) -> Process:
    """Start a command in a session of its own, so that Ctrl-C reaches only the build, which ends it in order.

    Without a log file it writes to the build's own terminal.
    """
    if log is None:
        return subprocess.Popen(command, env=env, cwd=cwd, start_new_session=True)
    with log.open("wb") as file:
        return subprocess.Popen(
            command, env=env, cwd=cwd, start_new_session=True, stdout=file, stderr=subprocess.STDOUT
        )


def wait(process: Process) -> int:
    """Exit code of the process, once it has one.

    Raises:
        Interrupted: when the build is asked to stop; the process then still runs.
    """
    while (status := process.poll()) is None:
        pause()
    return status


def pause() -> None:
    """Let a moment pass.

    Raises:
        Interrupted: when the build was asked to stop.
    """
    time.sleep(POLL_SECONDS)
    interrupts.check()


def end_tree(process: Process) -> None:
    """End a process and its descendants: first as Ctrl-C would, so that they can tidy up, then for good."""
    try:
        parent = psutil.Process(process.pid)
        tree = [*parent.children(recursive=True), parent]
    except psutil.NoSuchProcess:
        return
    for each in tree:
        _signal(each, signal.SIGINT)
    _, alive = psutil.wait_procs(tree, timeout=GRACE_SECONDS)
    for each in alive:
        _signal(each, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=GRACE_SECONDS)
    process.wait()


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def has_cuda_device() -> bool:
    """Whether a chapter would find a CUDA device (asked without importing torch, which takes seconds)."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return False
    return any(Path("/dev").glob("nvidia[0-9]*")) or shutil.which("nvidia-smi") is not None


def jobs_and_threads(asked: int | None) -> tuple[int, int]:
    """How many chapters run side by side and how many threads each has.

    They depend on the machine only, not on how many chapters are stale: the number of threads may change the
    last digits of a sum. A GPU is never shared: two kernels there run out of memory.
    """
    if has_cuda_device():
        return 1, cores()
    jobs = asked or min(cores(), MOST_JOBS)
    return jobs, max(1, cores() // jobs)
