"""Validation mAP of a network when another exponent is put in place of its own."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from figures import power_sweep, style
from figures.material import judged
from gem_lite import toytown
from gem_lite.fine_tuned import fine_tuned
from gem_lite.network import RetrievalNet
from gem_lite.off_the_shelf import pretrained
from gem_lite.toytown.dataset import ImageSet

POWERS = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 7.0, 10.0)
LOOKS = ((style.GREY, "s", "--"), (style.BLUE, "o", "-"))


def measure(
    net: RetrievalNet, images: ImageSet, powers: Sequence[float] = POWERS, protocol: str = "medium"
) -> np.ndarray:
    """Validation mAP, (P,) in 0..1, of the network with each exponent in place of its own.

    The body, which costs most, runs once. Queries are cropped and searched as `validation_map` does.
    """
    asked = judged(images)
    described = power_sweep.describe(net, asked, powers)
    return np.nanmean(power_sweep.average_precisions(*described, asked, protocol), axis=1)


def draw(
    curves: Mapping[str, np.ndarray], own: Mapping[str, float], powers: Sequence[float] = POWERS
) -> Figure:
    """A curve for each network, at most two, in percent; a line marks the exponent that it has of its own.

    Args:
        curves: (P,) mAP in 0..1, by the network's name.
        own: each network's exponent.
        powers: that were tried.
    """
    figure, ax = plt.subplots(figsize=(6.4, 3.2))
    for (name, values), (colour, mark, dashes) in zip(curves.items(), LOOKS, strict=False):
        ax.plot(powers, 100 * values, marker=mark, ls=dashes, color=colour, label=name)
        ax.axvline(own[name], color=colour, lw=1, ls=":")
    ax.set(xscale="log", xlabel="p put in place at test time", ylabel="validation mAP (%)")
    ax.set_xticks(powers, labels=[f"{p:g}" for p in powers])
    ax.minorticks_off()
    ax.legend()
    return figure


def draw_sample() -> Figure:
    """The networks of ``lite``."""
    val = toytown.load("lite", 0, "val")
    nets = {"off the shelf": pretrained("lite", 0), "fine-tuned": fine_tuned("lite", 0)[0]}
    own = {name: net.pool.p.item() for name, net in nets.items()}  # type: ignore[operator]
    return draw({name: measure(net, val) for name, net in nets.items()}, own)


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw validation mAP over the exponent put in place.")
