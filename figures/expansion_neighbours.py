"""What a query is expanded with: the weights of its neighbours, and how much falls on wrong images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from figures.whitening_curves import style_cycle
from figures.whitening_retrieval import Search
from gem_lite.search import rank


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Of each query all database images but itself, nearest first.

    ``similarities`` (Q, N - 1) to the query; ``wrong`` (Q, N - 1), whether an image shows something else.
    """

    similarities: np.ndarray
    wrong: np.ndarray

    def weights(self, alpha: float) -> np.ndarray:
        """(Q, N - 1) weights s^α; similarities below 0 count as 0, and α = 0 gives 1 to all."""
        return np.ones_like(self.similarities) if alpha == 0 else self.similarities.clip(0) ** alpha

    def wrong_share(self, alpha: float, counts: Sequence[int]) -> np.ndarray:
        """(counts,) share of the first n neighbours' weight that falls on wrong images, mean over queries."""
        weights = self.weights(alpha)
        shares = [(weights * self.wrong)[:, :n].sum(axis=1) / weights[:, :n].sum(axis=1) for n in counts]
        return np.array([share.mean() for share in shares])


def neighbours(search: Search) -> Neighbours:
    """The neighbours of every query of a search in its database."""
    ranks, scores = rank(search.queries, search.database)
    # A query that is in the database goes to the end; it is cut off there, or the last image of the others.
    own = ranks == search.query_rows[:, None]
    others = own.argsort(axis=1, kind="stable")[:, : ranks.shape[1] - int(own.any())]
    wrong = np.array(
        [
            ~np.isin(ranking, [*truth["easy"], *truth["hard"], *truth["junk"]])
            for ranking, truth in zip(ranks, search.ground_truth, strict=True)
        ]
    )
    return Neighbours(*(np.take_along_axis(values, others, axis=1) for values in (scores, wrong)))


def draw_weights(found: Neighbours, alphas: Sequence[float], places: int = 100) -> Figure:
    """Left, the weight over the similarity; right, the weight of the i-th neighbour, mean over queries."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.4, 3.1), sharey=True)
    similarity = np.linspace(0, 1, 101)
    for alpha, (colour, marker) in zip(alphas, style_cycle(), strict=False):
        name = "α = 0, AQE" if alpha == 0 else f"α = {alpha:g}"
        left.plot(
            similarity, similarity**alpha, color=colour, marker=marker, markevery=20, ms=4.5, label=name
        )
        mean = found.weights(alpha)[:, :places].mean(axis=0)
        right.plot(1 + np.arange(len(mean)), mean, color=colour, marker=marker, markevery=0.2, ms=4.5)
    left.set(xlabel="similarity to the query", ylabel="weight", xlim=(0, 1), ylim=(0, 1.05))
    right.set(xscale="log", xlabel="place of the neighbour")
    right.set_xticks([1, 10, places], labels=["1", "10", str(places)])
    right.minorticks_off()
    left.legend()
    return figure


def draw_wrong_shares(counts: Sequence[int], shares: Mapping[str, np.ndarray]) -> Figure:
    """Share of the neighbours' weight that is on wrong images, over n, a line for each name."""
    figure, ax = plt.subplots(figsize=(7.2, 3))
    for (name, values), (colour, marker) in zip(shares.items(), style_cycle(), strict=False):
        ax.plot(counts, 100 * values, marker + "-", color=colour, label=name)
    ax.set(xscale="log", xlabel="neighbours taken, n", ylabel="weight on wrong images (%)", ylim=(0, 100))
    ax.set_xticks(list(counts), labels=[str(n) for n in counts])
    ax.minorticks_off()
    ax.legend()
    return figure
