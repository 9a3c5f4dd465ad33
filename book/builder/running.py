"""Executes stale chapters, several side by side, and shows how far they are."""

import json
import os
import shutil
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from . import executed, processes
from .chapters import Chapter
from .errors import BuildError
from .parameters import Parameters
from .paths import Paths

GUESSED_SECONDS = 20.0  # for the bar, where a chapter has never run


@dataclass(frozen=True)
class Task:
    """One chapter to execute."""

    chapter: Chapter
    given: Parameters  # injected by papermill
    parameters: Parameters  # all of them
    key: str
    expected: float | None  # seconds that the last run took
    place: Paths | None = None  # where it is kept; by default with the book's
    label: str | None = None  # tells apart several runs of one chapter; by default its name

    @property
    def name(self) -> str:
        return self.label or self.chapter.name


@dataclass
class Run:
    """A task whose process is running."""

    task: Task
    process: processes.Process
    notebook: Path
    outcome: Path
    log: Path
    started: float = field(default_factory=time.monotonic)

    @property
    def name(self) -> str:
        return self.task.name

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started


def run_chapters(
    tasks: Sequence[Task],
    paths: Paths,
    jobs: int,
    threads: int,
    failures: dict[str, str] | None = None,
) -> dict[str, float]:
    """Execute all tasks in order, at most ``jobs`` at a time; seconds by name of the task.

    Each good execution is kept at once, so that a later failure or Ctrl-C loses nothing that was finished.

    Args:
        failures: where given, what went wrong is noted here under the task's name, and the others go on.

    Raises:
        BuildError: without ``failures``, for the first chapter that fails; the others are ended.
    """
    waiting, running = deque(tasks), list[Run]()
    seconds: dict[str, float] = {}
    shutil.rmtree(paths.running, ignore_errors=True)
    paths.running.mkdir(parents=True)
    try:
        with _bar(tasks) as bar:
            while waiting or running:
                while waiting and len(running) < jobs:
                    running.append(_start(waiting.popleft(), paths, threads))
                processes.pause()
                for run in [run for run in running if run.process.poll() is not None]:
                    try:
                        seconds[run.name] = _finish(run, paths)
                        line = f"  {run.name:<24} {seconds[run.name]:7.1f} s"
                    except BuildError as error:
                        if failures is None:
                            raise
                        failures[run.name] = str(error)
                        line = f"  {run.name:<24}  failed"
                    running.remove(run)
                    tqdm.write(line)
                _show(bar, tasks, {*seconds, *(failures or {})}, running)
    finally:
        for run in running:
            processes.end_tree(run.process)
        shutil.rmtree(paths.running, ignore_errors=True)
    return seconds


def _start(task: Task, paths: Paths, threads: int) -> Run:
    name = task.name
    job_file = paths.running / f"{name}.json"
    output = paths.running / f"{name}.ipynb"
    job = {
        "source": str(task.chapter.path),
        "output": str(output),
        "parameters": task.given,
        "cwd": str(paths.book),
    }
    job_file.write_text(json.dumps(job), encoding="utf8")
    log = paths.running / f"{name}.log"
    command = [sys.executable, "-m", "book.builder.worker", str(job_file)]
    process = processes.start(command, _environment(paths, threads), paths.root, log)
    return Run(task, process, output, job_file.with_suffix(".outcome"), log)


# As in the Makefile, which says why; what is set already stays.
ENVIRONMENT = {
    "OMP_WAIT_POLICY": "passive",
    "GOMP_SPINCOUNT": "0",
    "MALLOC_MMAP_THRESHOLD_": "1073741824",
    "MALLOC_TRIM_THRESHOLD_": "1073741824",
    "MALLOC_TOP_PAD_": "268435456",
}


def _environment(paths: Paths, threads: int) -> dict[str, str]:
    """What a chapter finds around it: this checkout's packages, its threads, no set-up of the user's own."""
    env = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    env["PYTHONPATH"] = os.pathsep.join([str(paths.root), *filter(None, [env.get("PYTHONPATH")])])
    env["JUPYTER_PREFER_ENV_PATH"] = "1"
    env["IPYTHONDIR"] = str(paths.running / "ipython")
    env["TQDM_DISABLE"] = "1"  # a page has no use for a finished progress bar; the build shows its own
    env.setdefault("OMP_NUM_THREADS", str(threads))
    return ENVIRONMENT | env


def _finish(run: Run, paths: Paths) -> float:
    """Keep what a finished process made, or say what went wrong."""
    seconds = run.seconds
    if not run.outcome.is_file():
        raise BuildError(
            f"{run.name}: its process ended with code {run.process.returncode} and this output:\n"
            + run.log.read_text(encoding="utf8", errors="replace")
        )
    failure = json.loads(run.outcome.read_text(encoding="utf8"))["failure"]
    if failure:
        raise BuildError(_described(run, failure, run.task.place or paths))
    place, chapter = run.task.place or paths, run.task.chapter.name
    executed.keep(place, chapter, run.task.key, run.notebook, run.task.parameters, seconds)
    (place.failed / f"{chapter}.ipynb").unlink(missing_ok=True)
    return seconds


def _described(run: Run, failure: dict[str, Any], paths: Paths) -> str:
    """Name, cell, traceback; the notebook as far as it came is moved to where it stays."""
    where = f" in cell {failure['cell']}" if failure["cell"] else ""
    lines = [f"{run.name} failed{where}", ""]
    lines += [f"    {line}" for line in failure["source"].splitlines()]
    lines += ["", failure["traceback"]]
    if run.notebook.is_file():
        paths.failed.mkdir(parents=True, exist_ok=True)
        kept = Path(shutil.move(run.notebook, paths.failed / f"{run.task.chapter.name}.ipynb"))
        lines += ["", f"The notebook as far as it came: {kept}"]
    return "\n".join(lines)


def _bar(tasks: Sequence[Task]) -> "tqdm[Any]":
    total = sum(task.expected or GUESSED_SECONDS for task in tasks)
    return tqdm(total=total, bar_format="{desc} |{bar}| {elapsed}{postfix}", disable=None, leave=False)


def _show(bar: "tqdm[Any]", tasks: Sequence[Task], done: set[str], running: Sequence[Run]) -> None:
    """Move the bar by expected seconds, and name what runs with its elapsed and expected seconds."""
    finished = sum(task.expected or GUESSED_SECONDS for task in tasks if task.name in done)
    under_way = sum(min(run.seconds, run.task.expected or GUESSED_SECONDS) for run in running)
    bar.n = finished + under_way
    bar.set_description_str(", ".join(_progress(run) for run in running), refresh=False)
    bar.set_postfix_str(f"{len(done)} of {len(tasks)} chapters", refresh=True)


def _progress(run: Run) -> str:
    expected = f" of about {run.task.expected:.0f}" if run.task.expected else ""
    return f"{run.name} {run.seconds:.0f}{expected} s"
