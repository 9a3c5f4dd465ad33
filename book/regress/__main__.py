"""``python -m book.regress compare --profile lite``: run what is stale and say what moved."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from book.builder.__main__ import main as build
from book.builder.errors import BuildError
from book.builder.parameters import profile_parameters
from book.builder.paths import Paths

from .accept import accept
from .compare import MOVED, compare
from .expected import expected_file, read_expected
from .figures import compare_figures
from .reproducibility import write_reproducibility
from .runs import Run, chapters_of, read_run
from .seeds import show_spread
from .summary import summarise
from .values import shown
from .writing import size, write_reports

FAILED = 2  # the run itself; 1 is for results that moved
SHOWN = 12


def _compare(options: argparse.Namespace, paths: Paths) -> int:
    """Write the report; 1 if anything moved."""
    run = _executed(options, paths)
    expected = read_expected(paths.root, paths.profile)
    folder = paths.build / "regress" / paths.profile
    folder.mkdir(parents=True, exist_ok=True)
    rows = compare(expected, run, whole=not options.only)
    figures = compare_figures(paths.root, expected, run)
    summary = summarise(expected, run, rows, figures, folder / "last.json")
    report = write_reports(summary, folder)
    print(f"\n{summary.verdict}: " + ", ".join(f"{n} {status}" for status, n in summary.counts.items()))
    for row in summary.having(MOVED)[:SHOWN]:
        old = row.expectation.value if row.expectation else None
        change = f"{shown(old, row.unit)} -> {shown(row.now, row.unit)}"
        print(f"  {size(row):>9}  {row.chapter} {row.name}: {change}")
    if not expected.results:
        file = expected_file(Path(), paths.profile)
        print(
            f'Nothing is expected yet: make regress-accept PROFILE={paths.profile} REASON="…" writes {file}'
        )
    print(f"Report: {report}")
    return 1 if summary.counts[MOVED] else 0


def _accept(options: argparse.Namespace, paths: Paths) -> int:
    """Make what the chapters report now what is expected."""
    run = _executed(options, paths)
    seed = profile_parameters(paths.book / "profiles", paths.profile, None)["seed"]
    chapters = chapters_of(paths, options.only)
    file = accept(paths, chapters, run, seed, options.reason, options.other_processor)
    if (paths.book / "claims.yml").is_file():
        write_reproducibility(paths.root)
    print(f"\nWritten: {file}, its figures, and REPRODUCIBILITY.md. Look at the diff, then commit them.")
    return 0


def _seeds(options: argparse.Namespace, paths: Paths) -> int:
    """Execute the book for each seed, into its own folder, and show the spread."""
    own = profile_parameters(paths.book / "profiles", paths.profile, None)["seed"]
    for seed in options.seeds:
        into = [] if seed == own else ["--seed", str(seed), "--into", f"{paths.profile}-seed{seed}"]
        print(f"\nSeed {seed}", flush=True)
        _build(options, paths, *into)
    print(show_spread(paths, chapters_of(paths, options.only), own))
    return 0


def _reproducibility(options: argparse.Namespace, paths: Paths) -> int:
    """Write REPRODUCIBILITY.md."""
    print(f"Written: {write_reproducibility(paths.root)}")
    return 0


def _executed(options: argparse.Namespace, paths: Paths) -> Run:
    if not options.no_run:
        _build(options, paths)
    return read_run(paths, chapters_of(paths, options.only))


def _build(options: argparse.Namespace, paths: Paths, *more: str) -> None:
    """Execute what is stale.

    Raises:
        SystemExit: when that fails or is interrupted; the builder has said why.
    """
    arguments = ["--profile", paths.profile, "--root", str(paths.root), "--no-pages", *more]
    status = build([*arguments, *(["--only", *options.only] if options.only else [])])
    if status:
        raise SystemExit(FAILED if status == 1 else status)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m book.regress", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(), help="the checkout (default: here)")
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, action in (
        ("compare", _compare),
        ("accept", _accept),
        ("seeds", _seeds),
        ("reproducibility", _reproducibility),
    ):
        command = commands.add_parser(name, help=action.__doc__, description=action.__doc__)
        command.set_defaults(action=action)
        command.add_argument("--profile", default="lite", help="a file of book/profiles (default: lite)")
        command.add_argument("--only", nargs="+", default=[], metavar="CHAPTER", help="these chapters alone")
        if action in (_compare, _accept):
            command.add_argument("--no-run", action="store_true", help="take what lies there, stale or not")
        if action is _accept:
            command.add_argument("--reason", required=True, help="why the expectations change; it is kept")
            command.add_argument(
                "--other-processor",
                action="store_true",
                help="same code, other kind of processor: keep the seeds of before in the spread",
            )
        if action is _seeds:
            command.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="default: 0 1 2")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 where nothing moved, 1 for what moved, 2 for a run or a question that failed."""
    options = _arguments(arguments)
    paths = Paths(options.root.resolve(), options.profile)
    try:
        status: int = options.action(options, paths)
        return status
    except (BuildError, ValueError) as error:
        print(f"\n{error}", file=sys.stderr)
        return FAILED


if __name__ == "__main__":
    sys.exit(main())
