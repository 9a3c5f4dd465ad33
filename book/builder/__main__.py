"""``python -m book.builder --profile lite``: execute what is stale, then render the book."""

import argparse
import re
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import executed, processes
from .chapters import Chapter, execution_key, pages
from .errors import BuildError
from .needs import run_steps
from .parameters import merged, parse_overrides, profile_parameters
from .paths import Paths
from .rendering import render
from .running import Task, run_chapters
from .staging import stage

COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def build(options: argparse.Namespace) -> None:
    """The whole build.

    Raises:
        BuildError: when anything is wrong with the book.
    """
    paths = Paths(options.root.resolve(), options.profile)
    toc_pages = pages(paths.book / "_toc.yml")
    chapters = [Chapter(page) for page in toc_pages if page.suffix == ".ipynb"]
    given = profile_parameters(paths.book / "profiles", options.profile, options.seed)
    overrides = parse_overrides(options.parameter, [chapter.name for chapter in chapters])
    tasks = [_task(chapter, {**given, **overrides[chapter.name]}, paths) for chapter in chapters]
    stale = [
        task for task in tasks if options.force or not executed.is_current(paths, task.chapter.name, task.key)
    ]
    run_steps([task.chapter for task in stale], given, paths)
    jobs, threads = processes.jobs_and_threads(options.jobs)
    print(f"Chapters: {len(stale)} to execute, {len(tasks) - len(stale)} unchanged", flush=True)
    run = run_chapters(stale, paths, jobs, threads) if stale else {}
    stage(chapters, paths)
    print("Pages: rendering (ten seconds or so)", flush=True)
    started = time.monotonic()
    rendered = render(paths)
    print(_summary(tasks, run, time.monotonic() - started if rendered else None, paths))
    print(f"\nThe book: {paths.html / (toc_pages[0].stem + '.html')}")


def _task(chapter: Chapter, given: dict[str, Any], paths: Paths) -> Task:
    parameters = merged(chapter.name, chapter.parameters, given)
    record = executed.read_record(paths, chapter.name)
    return Task(
        chapter,
        given,
        parameters,
        execution_key(chapter, parameters, paths.root),
        record.seconds if record else None,
    )


def _summary(tasks: Sequence[Task], run: dict[str, float], rendering: float | None, paths: Paths) -> str:
    """A table of all chapters with their seconds."""
    lines = ["", f"{'chapter':<26}{'seconds':>9}"]
    for task in tasks:
        name = task.chapter.name
        record = executed.read_record(paths, name)
        seconds = run.get(name, record.seconds if record else float("nan"))
        lines.append(f"{name:<26}{seconds:9.1f}" + ("" if name in run else "   unchanged, from its last run"))
    pages_seconds = "        -   unchanged" if rendering is None else f"{rendering:9.1f}"
    lines.append(f"{'(pages)':<26}{pages_seconds}")
    return "\n".join(lines)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m book.builder", description=__doc__)
    parser.add_argument("--profile", default="lite", help="a file of book/profiles (default: lite)")
    parser.add_argument("--seed", type=int, help="another seed than the profile's")
    parser.add_argument(
        "-p",
        "--parameter",
        action="append",
        default=[],
        metavar="CHAPTER:NAME=VALUE",
        help="override one parameter of one chapter, for example 12_your_photographs:photos_dir=~/photos",
    )
    parser.add_argument("--jobs", type=int, help="chapters side by side (default: a core each, up to four)")
    parser.add_argument("--force", action="store_true", help="execute every chapter, stale or not")
    parser.add_argument("--root", type=Path, default=Path(), help="the checkout (default: here)")
    return parser.parse_args(arguments)


def _interrupt(number: int, frame: object) -> None:
    signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not stop the tidying up
    raise KeyboardInterrupt(number)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 for a built book, 1 for a problem with it, 128 + the signal's number if interrupted."""
    options = _arguments(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        build(options)
    except BuildError as error:
        text = str(error) if sys.stderr.isatty() else COLOURS.sub("", str(error))
        print(f"\n{text}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as interrupt:
        print(
            "\nInterrupted: chapters that had finished are kept, nothing else was written.", file=sys.stderr
        )
        return 128 + interrupt.args[0]
    return 0


if __name__ == "__main__":
    sys.exit(main())
