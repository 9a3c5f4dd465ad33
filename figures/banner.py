"""The first pictures that a reader sees: a query's answers before and after fine-tuning.

The README's has a third row, what a growing p listens to.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from figures import overlay, style
from figures.contributions import contribution_map
from figures.feature_maps import maps_of
from figures.material import collection_of
from figures.ranked_strip import LOOKS, squared
from figures.whitening_retrieval import describe
from gem_lite.evaluate import evaluate
from gem_lite.fine_tuned import fine_tuned
from gem_lite.network import RetrievalNet
from gem_lite.off_the_shelf import pretrained
from gem_lite.search import rank
from gem_lite.toytown import TestSet, load_test

POWERS = (1.0, 2.0, 3.0, 5.0, 10.0, 100.0)
ANSWERS = 6


def draw(profile: str = "lite", seed: int = 0, query: int = 31, size: int = 220) -> Figure:
    """A query of the test set: its first answers before and after fine-tuning, and its maps at several p.

    Args:
        profile, seed: of the run.
        query: number of the query; the default is one on which the two networks differ visibly.
        size: of each picture, in pixels.
    """
    test = load_test(profile, seed)
    before, after = pretrained(profile, seed), fine_tuned(profile, seed)[0]
    row = int(test.query_rows[query])
    picture = test.larger(row, size).image
    maps = maps_of(before, test.images[row])

    columns = ANSWERS + 1
    figure, axes = plt.subplots(3, columns, figsize=(columns * 1.25, 4.1), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03, wspace=0, hspace=0)
    for line, net, name in zip(axes, (before, after), ("off the shelf", "fine-tuned"), strict=False):
        _frame(line[0], picture, f"query, {name}", style.QUERY)
        for ax, (found, kind) in zip(line[1:], _answers(net, test, query, ANSWERS), strict=True):
            colour, sign = LOOKS[kind]
            _frame(ax, test.larger(found, size).image, sign, colour)
    _frame(axes[2, 0], picture, "what counts, by p", style.PALE)
    for ax, p in zip(axes[2, 1:], POWERS, strict=True):
        overlay.show_heat(ax, picture, contribution_map(maps, p))
        _frame(ax, None, f"p = {p:g}", style.PALE)
    return figure


def draw_answers(test: TestSet, nets: dict[str, RetrievalNet], query: int, answers: int = 4) -> Figure:
    """The query and its first answers by each network, a row each; legible on a phone.

    Args:
        test: the test set.
        nets: networks by the name that their row carries.
        query: its number.
        answers: how many are shown.
    """
    figure, axes = plt.subplots(len(nets), answers + 1, figsize=(7.2, 1.78 * len(nets)), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03, wspace=0, hspace=0)
    picture = test.larger(int(test.query_rows[query]), 220).image
    for line, (name, net) in zip(axes, nets.items(), strict=True):
        _frame(line[0], picture, "query", style.QUERY, size=13)
        line[0].set_ylabel(name, fontsize=13)
        for ax, (found, kind) in zip(line[1:], _answers(net, test, query, answers), strict=False):
            colour, sign = LOOKS[kind]
            _frame(ax, test.larger(found, 220).image, sign, colour, size=13)
    return figure


def largest_gain(test: TestSet, before: RetrievalNet, after: RetrievalNet) -> int:
    """Number of the query whose average precision (Medium) gains most: where a picture can show something."""
    gains = _precisions(after, test) - _precisions(before, test)
    return int(np.nanargmax(gains))


def _precisions(net: RetrievalNet, test: TestSet) -> np.ndarray:
    return evaluate(_ranking(net, test), test.ground_truth, "medium").aps


def _ranking(net: RetrievalNet, test: TestSet) -> np.ndarray:
    """The whole database in each query's order (Q, N); a query is cropped to its landmark."""
    search = describe(net, collection_of(test))
    return rank(search.queries, search.database)[0]


def _answers(net: RetrievalNet, test: TestSet, query: int, count: int) -> list[tuple[int, str]]:
    """The first answers, junk left out, and whether each is a match."""
    entry = test.ground_truth[query]
    matches = {*entry["easy"], *entry["hard"]}
    found = [int(i) for i in _ranking(net, test)[query] if i not in entry["junk"]]
    return [(i, "positive" if i in matches else "negative") for i in found[:count]]


def _frame(ax: plt.Axes, picture: np.ndarray | None, text: str, colour: str, size: int = 8) -> None:
    if picture is not None:
        ax.imshow(squared(picture))
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set(visible=True, color=colour, linewidth=3)
    ax.set_xlabel(text, fontsize=size, labelpad=3)


if __name__ == "__main__":
    style.write_from_command_line(draw, "The README's picture.")
