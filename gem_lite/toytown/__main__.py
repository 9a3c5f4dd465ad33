"""Command line: ``python -m gem_lite.toytown export DIR`` or ``contact-sheet FILE``."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from gem_lite.profiles import PROFILES
from gem_lite.toytown.contact_sheet import contact_sheet
from gem_lite.toytown.dataset import FIRST_LANDMARK
from gem_lite.toytown.export import SPLITS, export


def main(arguments: Sequence[str] | None = None) -> None:
    """Toytown as files: a data set for other retrieval code, or one picture to look at."""
    parser = argparse.ArgumentParser(prog="python -m gem_lite.toytown", description=main.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    files = commands.add_parser("export", help="JPEGs, ground truth and training pairs in the usual layouts")
    files.add_argument("directory", type=Path)
    files.add_argument("--size", type=int, default=320, help="side of the pictures in pixels")
    files.add_argument("--quality", type=int, default=90, help="of the JPEGs, 1 to 95")
    files.add_argument("--splits", nargs="+", default=list(SPLITS), choices=SPLITS)

    sheet = commands.add_parser("contact-sheet", help="views of some landmarks of a split, in one picture")
    sheet.add_argument("file", type=Path)
    sheet.add_argument("--split", default="train", choices=list(FIRST_LANDMARK))

    for command in (files, sheet):
        command.add_argument("--profile", default="lite", choices=list(PROFILES))
        command.add_argument("--seed", type=int, default=0)
        command.add_argument("--workers", type=int, help="processes; by default one per usable core")
    chosen = parser.parse_args(arguments)
    if chosen.command == "export":
        export(
            chosen.directory,
            chosen.profile,
            chosen.seed,
            chosen.size,
            chosen.quality,
            chosen.splits,
            chosen.workers,
        )
        print(f"exported to {chosen.directory}; see {chosen.directory / 'README.txt'}")
    else:
        contact_sheet(chosen.file, chosen.profile, chosen.seed, chosen.split, chosen.workers)
        print(f"wrote {chosen.file}")


if __name__ == "__main__":
    main()
