"""``python -m book.builder --profile lite``: execute what is stale, then render the book."""

import argparse
import contextlib
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from . import executed, interrupts, processes
from .chapters import Chapter, execution_key, only, pages
from .errors import BuildError
from .homes import ON_TOYTOWN, home
from .needs import run_steps
from .parameters import merged, parse_overrides, profile_parameters
from .paths import Paths
from .running import Task, run_chapters

COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@contextlib.contextmanager
def only_build(paths: Paths) -> Iterator[None]:
    """Two builds of one checkout would write the same files.

    Raises:
        BuildError: when another one is running.
    """
    paths.build.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(paths.build / ".lock", timeout=0):
            yield
    except Timeout:
        raise BuildError(f"another build is running in {paths.root}; wait for it, or stop it") from None


def build(options: argparse.Namespace, paths: Paths) -> None:
    """The whole build.

    Raises:
        BuildError: when anything is wrong with the book.
    """
    toc_pages = pages(paths.book / "_toc.yml")
    chapters = [Chapter(page) for page in toc_pages if page.suffix == ".ipynb"]
    profile_parameters(paths.book / "profiles", options.profile, options.seed)  # is there such a profile?
    overrides = parse_overrides(options.parameter, [chapter.name for chapter in chapters])
    chosen = only(chapters, options.only)
    tasks = [_task(chapter, options.seed, overrides[chapter.name], paths) for chapter in chosen]
    stale = [
        task
        for task in tasks
        if options.force or not executed.is_current(task.place or paths, task.chapter.name, task.key)
    ]
    _run_steps(stale, options.seed, paths)
    jobs, threads = processes.jobs_and_threads(options.jobs)
    print(f"Chapters: {len(stale)} to execute, {len(tasks) - len(stale)} unchanged", flush=True)
    seconds = run_chapters(stale, paths, jobs, threads) if stale else {}
    print(_summary(tasks, seconds, paths), flush=True)
    if options.no_pages or options.only or options.into:
        return
    # Only now: where chapters are executed and no more, there need be no Sphinx.
    from .rendering import render
    from .staging import stage

    stage(chapters, paths)
    started = time.monotonic()
    print("\nRendering the pages takes ten seconds or so ... ", end="", flush=True)
    rendered = render(paths)
    print(f"{time.monotonic() - started:.1f} s" if rendered else "unchanged")
    print(f"\nThe book: {paths.html / (toc_pages[0].stem + '.html')}")


def _task(chapter: Chapter, seed: int | None, overrides: dict[str, Any], paths: Paths) -> Task:
    place = home(chapter, paths)
    given = {**profile_parameters(paths.book / "profiles", place.profile, seed), **overrides}
    parameters = merged(chapter.name, chapter.parameters, given)
    record = executed.read_record(place, chapter.name)
    return Task(
        chapter,
        given,
        parameters,
        execution_key(chapter, parameters, paths.root),
        record.seconds if record else None,
        place,
    )


def _run_steps(stale: Sequence[Task], seed: int | None, paths: Paths) -> None:
    """The steps that stale chapters need, for the profile of each."""
    for profile in dict.fromkeys(task.place.profile for task in stale if task.place):
        given = profile_parameters(paths.book / "profiles", profile, seed)
        needy = [task.chapter for task in stale if task.place and task.place.profile == profile]
        run_steps(needy, given, paths)


def _summary(tasks: Sequence[Task], seconds: dict[str, float], paths: Paths) -> str:
    """A table of all chapters: seconds of this run, or of the last one where nothing has changed."""
    other = [task for task in tasks if task.place and task.place.profile != paths.profile]
    lines = ["", f"{'chapter':<26}{'seconds':>9}"]
    for task in tasks:
        name = task.chapter.name
        line = f"{name:<26}{seconds.get(name, task.expected or 0):9.1f}"
        told = [] if name in seconds else ["unchanged"]
        told += [f"on Toytown, {ON_TOYTOWN}: it asks for what only a rendered world knows"] * (task in other)
        lines.append("   ".join([line, *told]))
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
    parser.add_argument("--no-pages", action="store_true", help="execute the chapters, render nothing")
    parser.add_argument("--only", nargs="+", metavar="CHAPTER", help="these chapters alone; renders nothing")
    parser.add_argument(
        "--into", default="", metavar="FOLDER", help="another folder of _build/executed; renders nothing"
    )
    parser.add_argument("--root", type=Path, default=Path(), help="the checkout (default: here)")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 for a built book, 1 for a problem with it, 128 + the signal's number if interrupted."""
    options = _arguments(arguments)
    interrupts.listen()
    paths = Paths(options.root.resolve(), options.profile, options.into)
    try:
        with only_build(paths):
            build(options, paths)
    except BuildError as error:
        text = str(error) if sys.stderr.isatty() else COLOURS.sub("", str(error))
        print(f"\n{text}", file=sys.stderr)
        return 1
    except interrupts.Interrupted as interrupt:
        print("\nInterrupted; the chapters that had finished are kept.", file=sys.stderr)
        return 128 + interrupt.number
    return 0


if __name__ == "__main__":
    sys.exit(main())
