"""Runs a chapter with each of several settings, those at once that the machine can take."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from book.builder import executed, processes
from book.builder.chapters import Chapter, execution_key, pages
from book.builder.errors import BuildError
from book.builder.needs import run_steps
from book.builder.parameters import Parameters, merged, profile_parameters
from book.builder.running import Task, run_chapters
from gem_lite.report import Record, read_reports

from .places import RunPaths, run_name


@dataclass(frozen=True)
class Outcome:
    """What became of one run."""

    parameters: Parameters  # all of them
    notebook: Path
    reports: dict[str, Record]  # empty where it failed
    seconds: float
    failure: str = ""


def find_chapter(book: Path, name: str) -> Chapter:
    """The chapter of this name.

    Raises:
        BuildError: when the table of contents lists no such notebook, with those that it lists.
    """
    known = {path.stem: path for path in pages(book / "_toc.yml") if path.suffix == ".ipynb"}
    if name.removesuffix(".ipynb") not in known:
        said = f"there is no chapter {name!r}" if name else "no chapter is named (CHAPTER=...)"
        raise BuildError(f"{said}; known: {', '.join(known)}")
    return Chapter(known[name.removesuffix(".ipynb")])


def execute(
    chapter: Chapter,
    settings: Sequence[Parameters],
    root: Path,
    jobs: int | None = None,
    force: bool = False,
) -> list[Outcome]:
    """Outcomes in the order of the settings; what has been run already, with the same code, is not run again.

    A run that fails is told of in its outcome; the others go on.

    Args:
        settings: of each run; those of ``profile`` and the chapter's own where one says nothing.
        root: the checkout.
        jobs: how many at a time; by default as many as `processes.jobs_and_threads` says.
        force: also what has been run.

    Raises:
        BuildError: when a profile is unknown or a named step fails.
        Interrupted: after Ctrl-C; the runs that had finished are kept.
    """
    tasks = [_task(chapter, given, root) for given in settings]
    stale = [task for task in tasks if force or not _is_current(task)]
    _run_steps(stale)
    jobs, threads = processes.jobs_and_threads(jobs)
    print(f"Runs of {chapter.name}: {len(stale)} to do, {len(tasks) - len(stale)} done before", flush=True)
    failures: dict[str, str] = {}
    if stale:
        run_chapters(stale, _place(stale[0]), min(jobs, len(stale)), threads, failures)
    return [_outcome(task, failures.get(task.name, "")) for task in tasks]


def _task(chapter: Chapter, given: Parameters, root: Path) -> Task:
    # Only to refuse an unknown profile: what its file sets, a setting sets too.
    profile_parameters(root / "book" / "profiles", given["profile"], None)
    parameters = merged(chapter.name, chapter.parameters, given)
    name = run_name(chapter, parameters)
    place = RunPaths(root, parameters["profile"], chapter=chapter.name, run=name)
    record = executed.read_record(place, chapter.name)
    key = execution_key(chapter, parameters, root)
    return Task(chapter, given, parameters, key, record.seconds if record else None, place, name)


def _place(task: Task) -> RunPaths:
    assert isinstance(task.place, RunPaths)
    return task.place


def _is_current(task: Task) -> bool:
    return executed.is_current(_place(task), task.chapter.name, task.key)


def _run_steps(stale: Sequence[Task]) -> None:
    """The artefacts of every profile and seed that is asked for, each once."""
    shared = {
        json.dumps({name: task.parameters[name] for name in ("profile", "seed")}): task for task in stale
    }
    for task in shared.values():
        run_steps([task.chapter], task.parameters, _place(task))


def _outcome(task: Task, failure: str) -> Outcome:
    place, name = _place(task), task.chapter.name
    notebook = executed.notebook_file(place, name)
    if failure:
        return Outcome(task.parameters, place.failed / notebook.name, {}, 0.0, failure)
    record: Any = executed.read_record(place, name)
    return Outcome(task.parameters, notebook, read_reports(notebook), record.seconds)
