"""What every pixel of a picture of Toytown shows: landmark, clutter, ground or sky."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from figures import style
from figures.surface_shares import COLOURS, SURFACES
from gem_lite import toytown
from gem_lite.toytown.renderer import Rendering

PAINT = 0.75  # opacity of the colours over the picture
BY_LABEL = ListedColormap([COLOURS[name] for name in sorted(SURFACES, key=SURFACES.__getitem__)])


def draw(renderings: Sequence[Rendering]) -> Figure:
    """The pictures above, the same pictures painted by label below."""
    size = (10, 20 / len(renderings) + 0.4)
    figure, axes = plt.subplots(2, len(renderings), figsize=size, squeeze=False, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0, hspace=0)
    for (above, below), rendering in zip(axes.T, renderings, strict=True):
        above.imshow(rendering.image, interpolation="antialiased")
        # Dark pictures are made light, or the blue of the landmark would not stand out from the sky's.
        grey = rendering.image.mean(axis=2)
        below.imshow(grey, cmap="gray", vmin=-255, vmax=255, interpolation="antialiased")
        below.imshow(rendering.mask, cmap=BY_LABEL, vmin=-0.5, vmax=BY_LABEL.N - 0.5, alpha=PAINT)
        for ax in (above, below):
            ax.set_axis_off()
    patches = [Patch(color=colour, alpha=PAINT, label=name) for name, colour in COLOURS.items()]
    figure.legend(handles=patches, loc="outside lower center", ncols=len(patches))
    return figure


def cluttered(images: toytown.ImageSet, count: int) -> np.ndarray:
    """Rows of the first views with much clutter, of different landmarks, in the order of the set."""
    shares = (images.masks == SURFACES["clutter"]).mean(axis=(1, 2))
    found: dict[int, int] = {}
    for row in np.flatnonzero(shares > np.quantile(shares, 0.75)):
        found.setdefault(int(images.landmarks[row]), int(row))
    return np.array(list(found.values())[:count])


def draw_sample() -> Figure:
    """Four views of ``lite``."""
    images = toytown.load("lite", 0)
    return draw([images.larger(int(row)) for row in cluttered(images, 4)])


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw what the pixels of pictures of Toytown show.")
