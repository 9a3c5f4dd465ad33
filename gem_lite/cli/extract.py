"""Describe pictures: one row of numbers for each, on disk.

The rows are written in blocks as they come, and an interrupted run goes on with the next block. names.json
beside them says which picture each row is; a picture that cannot be read is a row of NaN, and is named.

  python -m gem_lite extract photos/ --out photos.descriptors --network resnet50 --scales multi
  python -m gem_lite extract photos/ --out photos.descriptors --network net.pth --npy photos.npy
"""

import argparse
from pathlib import Path

import numpy as np

from gem_lite.cache import written_atomically
from gem_lite.cli import options
from gem_lite.cli.descriptors import described, unreadable_rows, write_json
from gem_lite.datasets.names import folder_images

NAMES = "names.json"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Options of this command."""
    command.add_argument(
        "pictures", type=Path, help="a folder, taken with all below it, or a text file with one path a line"
    )
    command.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="for the descriptors")
    command.add_argument("--npy", type=Path, metavar="FILE", help="write all rows into one array, too")
    options.add_network(command)
    options.add_extraction(command)


def run(chosen: argparse.Namespace) -> None:
    """Describes, and says what there is now."""
    names, images = pictures(chosen.pictures)
    net = options.network(chosen)
    rows = described(net, images, chosen.out, options.extraction(chosen), quiet=chosen.quiet)
    write_json(chosen.out / NAMES, names)
    lost = len(unreadable_rows(rows))
    print(f"{len(rows)} descriptors of {rows.shape[1]} numbers in {chosen.out}; {lost} could not be read")
    if chosen.npy:
        with written_atomically(chosen.npy) as temporary, open(temporary, "wb") as file:
            np.save(file, np.asarray(rows))


def pictures(given: Path) -> tuple[list[str], list[Path]]:
    """Names and paths of the pictures of a folder, or of a list.

    Raises:
        ValueError: if there are none.
    """
    given = given.expanduser()
    if given.is_dir():
        names = folder_images(given)
        return names, [given / name for name in names]
    if not given.is_file():
        raise ValueError(f"there is neither a folder nor a list {given}")
    try:
        lines = given.read_text(encoding="utf8").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{given} is no text file with one path a line") from None
    names = [line.strip() for line in lines if line.strip()]
    if not names:
        raise ValueError(f"{given} names no picture")
    return names, [given.parent / name for name in names]
