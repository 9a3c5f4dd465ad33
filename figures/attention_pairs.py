"""After the paper's figure 2: where the similarity of a matching pair comes from, for several networks."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from figures import style
from figures.overlay import Cell, draw_rows
from gem_lite.attention import contributions
from gem_lite.fine_tuned import fine_tuned
from gem_lite.network import RetrievalNet
from gem_lite.off_the_shelf import pretrained
from gem_lite.seeds import stream
from gem_lite.toytown import load_test
from gem_lite.toytown.dataset import ImageSet
from gem_lite.toytown.held_out import TestSet
from gem_lite.toytown.renderer import CLUTTER

Pair = tuple[int, int]


def pixels(image: np.ndarray) -> Tensor:
    """A picture (H, W, 3) of bytes as a network takes it: (3, H, W) in 0..1."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255


def matching_pairs(test: TestSet, most: int = 400, seed: int = 0) -> list[Pair]:
    """Database rows of queries with their easy and hard positives, at most so many, drawn at random."""
    both = zip(test.query_rows, test.ground_truth, strict=True)
    pairs = [(int(query), row) for query, truth in both for row in sorted(truth["easy"] + truth["hard"])]
    order = stream("matching pairs", seed).permutation(len(pairs))
    return [pairs[i] for i in sorted(order[:most])]


def most_cluttered(images: ImageSet, pairs: Sequence[Pair], count: int = 4) -> list[Pair]:
    """The pairs with most clutter, one per landmark; the image with less of it decides for a pair."""
    area = (images.masks == CLUTTER).mean(axis=(1, 2))
    ranked = sorted(pairs, key=lambda pair: -min(area[pair[0]], area[pair[1]]))
    chosen: dict[int, Pair] = {}
    for pair in ranked:
        chosen.setdefault(int(images.landmarks[pair[0]]), pair)
    return list(chosen.values())[:count]


def draw(images: ImageSet, pairs: Sequence[Pair], networks: Mapping[str, RetrievalNet]) -> Figure:
    """One line for each pair: both pictures, then both pictures' contribution maps for each network."""
    rows = []
    for number, pair in enumerate(pairs):
        shown = [images.larger(row).image for row in pair]
        cells = [Cell(picture) for picture in shown]
        for name, net in networks.items():
            parts = contributions(net, pixels(images.images[pair[0]]), pixels(images.images[pair[1]]))
            title = name if number == 0 else ""
            cells += [Cell(shown[0], parts.a, title), Cell(shown[1], parts.b)]
        rows.append(cells)
    return draw_rows(rows)


def draw_sample() -> Figure:
    """The most cluttered matching pairs of ``lite``: off-the-shelf MAC against fine-tuned GeM."""
    test = load_test("lite", 0)
    networks = {"off-the-shelf MAC": pretrained("lite", 0, "mac"), "fine-tuned GeM": fine_tuned("lite", 0)[0]}
    return draw(test, most_cluttered(test, matching_pairs(test)), networks)


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw where the similarity of matching pairs comes from.")
