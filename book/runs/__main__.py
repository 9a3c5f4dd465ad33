"""``python -m book.runs run 03_pooling p=5`` and ``python -m book.runs sweep 03_pooling p=1,2,3``."""

import argparse
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt

from book.builder import interrupts
from book.builder.__main__ import COLOURS, only_build
from book.builder.chapters import Chapter
from book.builder.errors import BuildError
from book.builder.parameters import Parameters
from gem_lite.report import Record

from .executing import execute, find_chapter
from .grid import read_grid, settings_of
from .places import RunPaths, file_name, shown
from .plots import MOST_PANELS, draw
from .results import Sweep
from .tables import markdown, write_csv
from .typed import read_parameters


def run(options: argparse.Namespace, chapter: Chapter, root: Path) -> int:
    """One run; prints what it reported. Exit code 1 where it failed.

    Raises:
        BuildError: for parameters that the chapter does not have, and as `execute`.
    """
    given = read_parameters(chapter, options.settings)
    (outcome,) = execute(chapter, [{**_profile(options), **given}], root, force=options.force)
    if outcome.failure:
        print(f"\n{_uncoloured(outcome.failure)}", file=sys.stderr)
        return 1
    print(f"\n{report_table(outcome.reports)}\n\nThe notebook: {outcome.notebook}")
    return 0


def sweep(options: argparse.Namespace, chapter: Chapter, root: Path) -> int:
    """A run for each setting of a grid, and their table and plot. Exit code 1 where a run failed.

    Raises:
        BuildError: for a grid that does not fit the chapter, and as `execute`.
    """
    grid = read_grid(chapter, options.settings)
    settings: list[Parameters] = [{**_profile(options), **setting} for setting in settings_of(grid)]
    outcomes = execute(chapter, settings, root, options.jobs, options.force)
    found = Sweep(tuple(grid), tuple(outcomes))
    written = " ".join(f"{name}={','.join(shown(v) for v in values)}" for name, values in grid.items())
    name = file_name(f"{options.profile}_{written.replace(' ', '_')}", {"grid": grid})
    folder = RunPaths(root, options.profile, chapter=chapter.name).build / "sweeps" / name
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(found, folder / "sweep.csv")
    print(f"\nThe table: {folder / 'sweep.csv'}")
    if found.done:
        _write_pages(found, f"{chapter.name}, {options.profile}: {written}", folder, options.results)
    failed = len(outcomes) - len(found.done)
    for outcome in outcomes:
        if outcome.failure:
            print(f"\n{_uncoloured(outcome.failure)}", file=sys.stderr)
    if failed:
        print(f"\n{failed} of {len(outcomes)} runs failed; the others are kept.", file=sys.stderr)
    return 1 if failed else 0


def _write_pages(found: Sweep, title: str, folder: Path, patterns: Sequence[str]) -> None:
    names = found.chosen(patterns)
    for old in folder.glob("sweep.[ps][nv]g"):
        old.unlink()
    if names:
        from figures import style

        matplotlib.use("Agg")
        style.use()
        figure = draw(found, names)
        for suffix in (".svg", ".png"):
            print(f"The plot:  {style.save(figure, folder / f'sweep{suffix}')}")
        plt.close(figure)
    if len(names) > MOST_PANELS:
        print(f"           ({MOST_PANELS} of {len(names)} results; RESULTS='name other_*' chooses)")
    page = markdown(found, title, "sweep.svg" if names else None)
    (folder / "sweep.md").write_text(page, encoding="utf8")
    print(f"The page:  {folder / 'sweep.md'}")
    if not names:
        print("Nothing is drawn: no number that was reported moves with the grid.")


def report_table(reports: dict[str, Record]) -> str:
    """Name, value, unit and how it was measured, in columns."""
    if not reports:
        return "The chapter reports nothing."
    rows = [(name, shown_result(r.value), r.unit, r.how) for name, r in reports.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        f"{name:<{widths[0]}}  {value:>{widths[1]}}  {unit:<{widths[2]}}  {how}".rstrip()
        for name, value, unit, how in rows
    )


def shown_result(value: float | int | str) -> str:
    """A reported value for a terminal: six digits of a float, everything else as it is.

    >>> shown_result(61.50000001)
    '61.5'
    """
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _profile(options: argparse.Namespace) -> Parameters:
    return {"profile": options.profile}


def _uncoloured(text: str) -> str:
    return text if sys.stderr.isatty() else COLOURS.sub("", text)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m book.runs", description=__doc__)
    parser.add_argument("command", choices=("run", "sweep"))
    parser.add_argument("chapter", help="name of the notebook, for example 03_pooling")
    parser.add_argument("settings", nargs="*", help="name=value; in a sweep name=value,value or name=0..4")
    parser.add_argument("--profile", default="lite", help="a file of book/profiles (default: lite)")
    parser.add_argument("--jobs", type=int, help="runs side by side (default: a core each, up to four)")
    parser.add_argument("--results", default="", help="which results a sweep draws: names or patterns")
    parser.add_argument("--force", action="store_true", help="also what has been run already")
    parser.add_argument("--root", type=Path, default=Path(), help="the checkout (default: here)")
    options = parser.parse_intermixed_args(arguments)
    # make hands over one text: PARAMS='p=5 seed=2'
    options.settings = [word for text in options.settings for word in _words(text)]
    options.results = re.split(r"[\s,]+", options.results.strip()) if options.results.strip() else []
    return options


def _words(text: str) -> list[str]:
    """Words of a line; quotes keep spaces together, brackets do too."""
    joined = re.sub(r"\[[^\]]*\]", lambda match: match.group().replace(" ", ""), text)
    return shlex.split(joined)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 when all went well, 1 for a failed run or wrong settings, 128 + a signal."""
    options = _arguments(arguments)
    interrupts.listen()
    root = options.root.resolve()
    try:
        chapter = find_chapter(root / "book", options.chapter)
        with only_build(RunPaths(root, options.profile, chapter=chapter.name)):
            return {"run": run, "sweep": sweep}[options.command](options, chapter, root)
    except BuildError as error:
        print(f"\n{_uncoloured(str(error))}", file=sys.stderr)
        return 1
    except interrupts.Interrupted as interrupt:
        print(
            "\nInterrupted; the runs that had finished are kept, the same command goes on.", file=sys.stderr
        )
        return 128 + interrupt.number


if __name__ == "__main__":
    sys.exit(main())
