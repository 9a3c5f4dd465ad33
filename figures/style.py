"""How every figure of the book looks, and how it is written to a file."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

# Okabe and Ito's colours: told apart by every kind of colour vision, and in print.
BLUE = "#0072B2"
ORANGE = "#E69F00"
GREEN = "#009E73"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
SKY = "#56B4E9"
INK = "#22303c"  # text and outlines
GREY = "#5f6b76"  # second-rank lines
PALE = "#e3e7eb"  # backgrounds and grids

# What an image is to a query has one colour in the whole book.
POSITIVE, NEGATIVE, JUNK, QUERY = GREEN, VERMILION, "#b9c1c9", BLUE

STYLE_FILE = Path(__file__).with_name("gem.mplstyle")


def use() -> None:
    """Make the book's style the style of every figure drawn from now on."""
    plt.style.use(STYLE_FILE)


def save(figure: Figure, path: str | Path) -> Path:
    """Write the figure; the suffix decides the format. The same figure gives the same SVG file.

    Raises:
        ValueError: for a suffix that matplotlib cannot write, with the formats it can.
    """
    path = Path(path)
    known = figure.canvas.get_supported_filetypes()
    if path.suffix.lstrip(".") not in known:
        raise ValueError(f"cannot write {path.name!r}: use one of {', '.join(sorted(known))} as the suffix")
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"Date": None} if path.suffix == ".svg" else None
    with plt.style.context(STYLE_FILE):
        figure.savefig(path, metadata=metadata)
    return path


def write_from_command_line(
    draw: Callable[[], Figure], description: str, arguments: Sequence[str] | None = None
) -> None:
    """The command line of a figure's module: ``python -m figures.<name> OUT``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("out", type=Path, help="file to write, for example figure.svg, .pdf or .png")
    out = parser.parse_args(arguments).out
    use()
    print(save(draw(), out))
