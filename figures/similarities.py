"""How similar pictures of one thing are, beside pictures of different things."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from figures import style

NAMES = ("matching pairs", "other pairs")


def draw(matching: np.ndarray, other: np.ndarray, names: tuple[str, str] = NAMES) -> Figure:
    """Two histograms of cosines, each with an area of one: of matching pairs and of all other pairs.

    Raises:
        ValueError: where either has no pair.
    """
    if not len(matching) or not len(other):
        raise ValueError(f"both histograms need pairs, there are {len(matching)} and {len(other)}")
    figure, ax = plt.subplots(figsize=(7.2, 3))
    bins = np.linspace(min(matching.min(), other.min()), 1, 41)
    ax.hist(other, bins, density=True, color=style.JUNK, label=names[1])
    ax.hist(matching, bins, density=True, histtype="step", color=style.BLUE, lw=2.2, label=names[0])
    ax.set(xlabel="similarity", yticks=[], xlim=(bins[0], 1))
    ax.spines["left"].set_visible(False)
    ax.grid(False)
    ax.legend(loc="upper left")
    return figure
