"""After the paper's figure 4: the larger p, the more local is what the pooled vector is made of.

The paper draws networks *trained* at each p. Here one network's maps are pooled at each p: what changes is
the share of every position in the pooled vector, not the maps.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_sample_image
from torch import Tensor

from figures import style
from figures.contributions import contribution_map
from figures.overlay import Cell, draw_rows
from gem_lite.network import RetrievalNet
from gem_lite.off_the_shelf import pretrained

POWERS = (1.0, 3.0, 10.0, 100.0)


def maps_of(net: RetrievalNet, image: np.ndarray) -> Tensor:
    """Feature maps (K, H', W') of one picture (H, W, 3) of bytes, on the CPU."""
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        return net.feature_maps(pixels.to(net.mean.device))[0].cpu()


def draw(
    pictures: Sequence[np.ndarray],
    maps: Sequence[Tensor],
    powers: Sequence[float] = POWERS,
    names: Sequence[str] | None = None,
) -> Figure:
    """One row for each picture: the picture, then its contribution map at each p, each in its own range.

    Args:
        pictures: (H, W, 3) bytes, as they are to be shown.
        maps: feature maps (K, H', W') of each; the network may have seen another size.
        powers: exponents of the columns.
        names: written at the left of each row.
    """
    rows = [
        [Cell(picture), *(Cell(picture, contribution_map(x, p), f"p = {p:g}") for p in powers)]
        for picture, x in zip(pictures, maps, strict=True)
    ]
    return draw_rows(rows, names)


def draw_large(
    picture: np.ndarray,
    maps: Mapping[str, Tensor],
    powers: Sequence[float] = (1.0, 2.0, 3.0, 10.0, 100.0),
    columns: int = 3,
) -> Figure:
    """One picture and its contribution maps in rows of three, once for each network.

    Args:
        picture: (H, W, 3) bytes, as it is to be shown.
        maps: name of each network to its feature maps (K, H', W') of the picture.
        powers: exponents; with the picture itself they fill the rows.
        columns: cells of a row.
    """
    rows: list[list[Cell]] = []
    for name, x in maps.items():
        cells = [Cell(picture, title=name)]
        cells += [Cell(picture, contribution_map(x, p), f"p = {p:g}") for p in powers]
        rows += [cells[start : start + columns] for start in range(0, len(cells), columns)]
    return draw_rows(rows)


def draw_sample() -> Figure:
    """The photograph that ships with scikit-learn, through the book's own network."""
    photo = load_sample_image("china.jpg")
    return draw_large(photo, {"Toytown": maps_of(pretrained("lite", 0), photo)})


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw what the pooled vector is made of at several p.")
