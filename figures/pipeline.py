"""The method put together step by step: what each step adds, and what is lost without it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from figures import style
from figures.collection import Collection, Pictures
from figures.described import described as kept
from figures.expansion_map import expanded_aps
from figures.material import material
from figures.whitening_retrieval import Search, Whitening, both_whitenings, describe
from gem_lite.evaluate import Interval, bootstrap
from gem_lite.network import RetrievalNet

ONE = (1.0,)
ALPHA, NEIGHBOURS = 3.0, 50  # the paper's setting of α-QE


@dataclass(frozen=True, eq=False)
class Described:
    """One network's descriptors at one set of scales: training rows to learn whitening from, and a search."""

    rows: np.ndarray
    search: Search
    whitenings: Mapping[str, Whitening]

    def aps(
        self, whitening: str | None = None, alpha: float | None = None, protocol: str = "medium"
    ) -> np.ndarray:
        """(Q,) average precisions; ``whitening`` is "PCAw", "Lw" or None, ``alpha`` None expands nothing."""
        search = self.search.whitened(self.whitenings[whitening] if whitening else None)
        if alpha is None:
            return search.average_precisions(protocol=protocol)
        return expanded_aps(search, NEIGHBOURS, alpha, protocol=protocol)


def described(
    net: RetrievalNet,
    train: Pictures,
    asked: Collection,
    scales: Sequence[float] = ONE,
    rows: np.ndarray | None = None,
) -> Described:
    """Describes training images, a database and its cropped queries at the same scales; learns whitening.

    Args:
        net: describes all of them.
        train: images whose pairs the whitening is learned from.
        asked: the test set, or another one with queries.
        scales: as in `gem_lite.extract.extract`.
        rows: the training images' descriptors at these scales, where they are known already.
    """
    if rows is None:
        rows = kept(net, train.images, scales, size=train.size)
    search = describe(net, asked, scales)
    return Described(rows, search, both_whitenings(rows, train.pairs))


@dataclass(frozen=True, eq=False)
class Step:
    """One line of the table: its name, average precisions (Q,) by protocol, and what it is compared with."""

    name: str
    aps: Mapping[str, np.ndarray]

    def interval(self, groups: np.ndarray, protocol: str = "medium") -> Interval:
        return bootstrap(self.aps[protocol], groups=groups)

    def over(self, other: "Step", groups: np.ndarray) -> Interval:
        """Paired difference to another step, Medium."""
        return bootstrap(self.aps["medium"], other.aps["medium"], groups)


def step(
    name: str, found: Described | None, whitening: str | None = None, alpha: float | None = None
) -> Step:
    """A step measured under the three protocols; nothing is, where there is no such network."""
    protocols = ("easy", "medium", "hard") if found else ()
    return Step(name, {protocol: found.aps(whitening, alpha, protocol) for protocol in protocols})


def draw(steps: Sequence[Step], groups: np.ndarray) -> Figure:
    """One line for each step: mAP Medium with its interval and the value beside it; Hard as a hollow mark."""
    figure, ax = plt.subplots(figsize=(7.2, 0.46 * len(steps) + 0.9))
    for y, each in enumerate(steps):
        medium, hard = each.interval(groups), each.interval(groups, "hard")
        ax.plot(
            [100 * medium.low, 100 * medium.high],
            [y, y],
            color=style.BLUE,
            lw=5,
            alpha=0.35,
            solid_capstyle="butt",
        )
        ax.plot(100 * medium.mean, y, "o", color=style.BLUE, ms=7, label="Medium" if y == 0 else None)
        ax.plot(
            100 * hard.mean, y, "D", mfc="white", mec=style.VERMILION, ms=6, label="Hard" if y == 0 else None
        )
        ax.text(100 * medium.high + 1.2, y, f"{100 * medium.mean:.1f}", va="center", color=style.BLUE)
    ax.set(yticks=range(len(steps)), yticklabels=[each.name for each in steps], xlabel="mAP (%)")
    ax.set(ylim=(len(steps) - 0.5, -0.6), xlim=(0, None))
    ax.margins(x=0.08)
    ax.grid(axis="x")
    ax.grid(False, axis="y")
    ax.tick_params(left=False)
    figure.legend(ncols=2, loc="outside upper left")
    return figure


def draw_sample() -> Figure:
    """GeM of ``lite``: off the shelf, fine-tuned, whitened, expanded."""
    given = material()
    train, test = given.train(), given.test()
    off, tuned = (described(net, train, test) for net in (given.off_the_shelf(), given.fine_tuned()))
    steps = [
        step("GeM, off the shelf", off),
        step("fine-tuned", tuned),
        step("+ learned whitening", tuned, "Lw"),
        step("+ α-QE", tuned, "Lw", ALPHA),
    ]
    return draw(steps, test.query_groups)


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw what each step of the method adds.")
