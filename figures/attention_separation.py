"""After the paper's figure 3: the feature maps that tell a hard non-match from the match."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import torch.nn.functional as F
from matplotlib.figure import Figure
from numpy.typing import NDArray

from figures import style
from figures.attention_shares import split
from figures.feature_maps import maps_of
from gem_lite.fine_tuned import fine_tuned
from gem_lite.network import RetrievalNet
from gem_lite.toytown import load_test
from gem_lite.toytown.dataset import ImageSet
from gem_lite.toytown.held_out import TestSet

Array = NDArray[np.float64]
NAMES = ("query", "match", "non-match")


@dataclass(frozen=True)
class Case:
    """Database rows of a query, of its most similar positive, and of the most similar negative."""

    query: int
    match: int
    other: int

    @property
    def rows(self) -> tuple[int, int, int]:
        """In the order in which they are drawn."""
        return self.query, self.match, self.other


def cases(vectors: Array, test: TestSet) -> list[Case]:
    """The case of every query that has a positive; junk is neither match nor non-match."""
    found = []
    for query, truth in zip(test.query_rows, test.ground_truth, strict=True):
        positives = np.array(truth["easy"] + truth["hard"], dtype=np.int64)
        if len(positives):
            similarity = vectors @ vectors[query]
            match = positives[similarity[positives].argmax()]
            similarity[test.landmarks == test.landmarks[query]] = -1
            found.append(Case(int(query), int(match), int(similarity.argmax())))
    return found


def evidence(vectors: Array, case: Case) -> Array:
    """What each channel adds to s(query, match) - s(query, non-match): (K,), signed."""
    return vectors[case.query] * (vectors[case.match] - vectors[case.other])


def hardest(vectors: Array, found: Sequence[Case], test: TestSet, count: int = 2) -> list[Case]:
    """The cases whose non-match is most similar to the query, whichever of the two wins; one per landmark."""
    chosen: dict[int, Case] = {}
    for case in sorted(found, key=lambda c: -float(vectors[c.query] @ vectors[c.other])):
        chosen.setdefault(int(test.landmarks[case.query]), case)
    return list(chosen.values())[:count]


def draw(
    net: RetrievalNet, images: ImageSet, vectors: Array, shown: Sequence[Case], channels: int = 3
) -> Figure:
    """Three columns per case: the pictures, and below them the maps of the channels with most evidence.

    A map is drawn in units of the descriptor (divided by the norm that the descriptor was divided by), and
    the three maps of one channel in one range: they can be compared.
    """
    size = (7.2, 7.2 / (3 * len(shown)) * (channels + 1) + 0.45)
    figure, axes = plt.subplots(
        channels + 1, 3 * len(shown), figsize=size, squeeze=False, layout="constrained"
    )
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0, hspace=0)
    for number, case in enumerate(shown):
        columns = axes[:, 3 * number : 3 * number + 3]
        pictures = [images.larger(row).image for row in case.rows]
        maps = [maps_of(net, images.images[row]) for row in case.rows]
        norms = [net.pool(x[None]).detach().norm() for x in maps]
        for ax, picture, name, row in zip(columns[0], pictures, NAMES, case.rows, strict=True):
            ax.imshow(picture)
            ax.set_title(f"{name}\n{vectors[case.query] @ vectors[row]:.2f}", fontsize=9)
        strongest = np.argsort(-evidence(vectors, case), kind="stable")[:channels]
        for line, k in zip(columns[1:], strongest, strict=True):
            heats = [x[k] / norm for x, norm in zip(maps, norms, strict=True)]
            brightest = max(float(heat.max()) for heat in heats)
            for ax, picture, heat in zip(line, pictures, heats, strict=True):
                side = picture.shape[:2]
                smooth = F.interpolate(heat[None, None], side, mode="bilinear", align_corners=False)[0, 0]
                strength = (smooth / max(brightest, 1e-12)).numpy().clip(0, 1)
                ax.imshow(picture.mean(axis=2), cmap="gray", vmin=-25, vmax=306)
                ax.imshow(strength, cmap="inferno", vmin=0, vmax=1, alpha=0.3 + 0.55 * np.sqrt(strength))
            line[0].set_ylabel(f"channel {k}", fontsize=9)
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
        ax.spines[:].set_visible(False)
    return figure


def draw_sample() -> Figure:
    """Two hard cases of ``lite`` under fine-tuned GeM."""
    net, test = fine_tuned("lite", 0)[0], load_test("lite", 0)
    vectors = split(net, test).vectors
    return draw(net, test, vectors, hardest(vectors, cases(vectors, test), test))


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw the feature maps that tell a non-match from the match.")
