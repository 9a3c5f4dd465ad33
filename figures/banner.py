"""The README's picture: a query with its best-ranked answers, and what a growing p listens to."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from figures import overlay, style
from figures.contributions import contribution_map
from figures.feature_maps import maps_of
from figures.ranked_strip import LOOKS, squared
from gem_lite.extract import extract
from gem_lite.off_the_shelf import pretrained
from gem_lite.search import rank
from gem_lite.toytown import load_test

POWERS = (1.0, 2.0, 3.0, 5.0, 10.0, 100.0)
ANSWERS = 6


def draw(profile: str = "lite", seed: int = 0, query: int = 4, size: int = 220) -> Figure:
    """Two rows: a query of the test set and the first answers of the off-the-shelf network; its maps by p.

    Args:
        profile, seed: of the run.
        query: number of the query.
        size: of each picture, in pixels.
    """
    test, net = load_test(profile, seed), pretrained(profile, seed)
    row, entry = int(test.query_rows[query]), test.ground_truth[query]
    database = extract(net, test.images, size=None, progress=False)
    asked = extract(net, [test.images[row]], size=None, boxes=[entry["bbx"]], progress=False)
    ranks = [int(i) for i in rank(asked, database)[0][0] if i not in entry["junk"]][:ANSWERS]
    matches = {*entry["easy"], *entry["hard"]}
    picture = test.larger(row, size).image
    maps = maps_of(net, test.images[row])

    columns = ANSWERS + 1
    figure, axes = plt.subplots(2, columns, figsize=(columns * 1.25, 2.75), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03, wspace=0, hspace=0)
    _frame(axes[0, 0], picture, "query", style.QUERY)
    for ax, found in zip(axes[0, 1:], ranks, strict=True):
        colour, sign = LOOKS["positive" if found in matches else "negative"]
        _frame(ax, test.larger(found, size).image, sign, colour)
    _frame(axes[1, 0], picture, "what counts at", style.PALE)
    for ax, p in zip(axes[1, 1:], POWERS, strict=True):
        overlay.show_heat(ax, picture, contribution_map(maps, p))
        _frame(ax, None, f"p = {p:g}", style.PALE)
    return figure


def _frame(ax: plt.Axes, picture: np.ndarray | None, text: str, colour: str) -> None:
    if picture is not None:
        ax.imshow(squared(picture))
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set(visible=True, color=colour, linewidth=3)
    ax.set_xlabel(text, fontsize=8, labelpad=3)


if __name__ == "__main__":
    style.write_from_command_line(draw, "The README's picture.")
