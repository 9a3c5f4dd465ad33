"""The same cameras and the same light twice: the town as it is, and with all clutter removed."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from figures import style
from figures.overlay import Cell, draw_rows
from gem_lite.toytown import World, load_test
from gem_lite.toytown.held_out import TestSet
from gem_lite.toytown.renderer import CLUTTER


def most_cluttered_queries(test: TestSet, count: int = 5) -> list[int]:
    """Database rows of the queries with the largest share of clutter, one for each landmark at most."""
    share = (test.masks[test.query_rows] == CLUTTER).mean(axis=(1, 2))
    chosen: dict[int, int] = {}
    for query in np.argsort(-share, kind="stable"):
        chosen.setdefault(int(test.query_groups[query]), int(test.query_rows[query]))
    return list(chosen.values())[:count]


def draw(worlds: Sequence[TestSet], rows: Sequence[int], size: int = 320) -> Figure:
    """One line of pictures for each world, the same views in each, rendered `size` pixels wide."""
    return draw_rows([[Cell(world.larger(row, size).image) for row in rows] for world in worlds])


def draw_sample() -> Figure:
    """The most cluttered queries of ``lite``, with and without their clutter."""
    test = load_test("lite", 0)
    return draw([test, load_test("lite", 0, World(clutter=(0, 0)))], most_cluttered_queries(test))


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw the same views with and without clutter.")
