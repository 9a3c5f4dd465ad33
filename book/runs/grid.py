"""A grid of settings written in one line: ``p=1,2,3,5,10 seed=0..4``."""

import itertools
import re
from collections.abc import Sequence
from typing import Any

from book.builder.chapters import Chapter
from book.builder.parameters import Parameters

from .typed import Problems, read_value, refuse, split_assignment

RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)")


def read_grid(chapter: Chapter, texts: Sequence[str]) -> dict[str, list[Any]]:
    """The values of each parameter of a grid, in the order in which they were written.

    Values stand between commas; ``a..b`` is every whole number from a to b, both included.

    Raises:
        BuildError: as `read_parameters`, and for an empty range or an empty grid.
    """
    grid: dict[str, list[Any]] = {}
    problems: Problems = []
    if not texts:
        problems.append("the grid is empty: write name=value,value for one or more parameters")
    for text in texts:
        name, values = split_assignment(text, chapter, problems, set(grid))
        if name is None:
            continue
        grid[name] = []
        for piece in _pieces(values):
            try:
                grid[name] += _values(piece, chapter.parameters[name])
            except ValueError as error:
                problems.append(f"{name}={piece} {error}")
        grid[name] = [v for i, v in enumerate(grid[name]) if v not in grid[name][:i]]
    refuse(chapter, problems)
    return grid


def settings_of(grid: dict[str, list[Any]]) -> list[Parameters]:
    """Every combination; the last parameter changes fastest.

    >>> settings_of({"p": [1.0, 3.0], "seed": [0, 1]})[1]
    {'p': 1.0, 'seed': 1}
    """
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def _values(piece: str, default: Any) -> list[Any]:
    whole = RANGE.fullmatch(piece)
    if whole is None or isinstance(default, str | list):
        return [read_value(piece, default)]
    first, last = int(whole[1]), int(whole[2])
    if last < first:
        raise ValueError("is an empty range: write the smaller number first")
    return [read_value(str(number), default) for number in range(first, last + 1)]


def _pieces(text: str) -> list[str]:
    """What stands between commas; those inside of brackets belong to a list.

    >>> _pieces("[1, 2],[3]")
    ['[1, 2]', '[3]']
    """
    pieces, depth = [""], 0
    for letter in text:
        depth += (letter in "[{") - (letter in "]}")
        if letter == "," and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += letter
    return [piece.strip() for piece in pieces]
