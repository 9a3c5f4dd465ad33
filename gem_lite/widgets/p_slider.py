"""A slider for the exponent p of GeM pooling (equation 3): which positions of a feature map still count?

In JupyterLab or Colab a live control that pools with `gem_lite.pooling`; in the built page an element that
computes the same numbers in the browser, without a kernel and without a network.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from gem_lite.widgets.element import encode_numbers, encode_picture, three_digits
from gem_lite.widgets.live import LiveElement
from gem_lite.widgets.p_slider_picture import EPS, contribution_shares, draw_p_slider, half_count, pooled

LARGEST_P = 100.0  # of the live slider; the box beside it stands for ∞
COARSEST_STEP = 0.02  # of the live slider, in log10 p
PHOTO_SIDE = 400  # pixels of the longer side in the page


def strongest_channels(feature_map: NDArray[np.float32], p: float, count: int = 6) -> list[int]:
    """Indices of the channels (of (K, H, W)) with the largest pooled value at p, strongest first."""
    values = [pooled(channel, p) for channel in feature_map]
    return [int(index) for index in np.argsort(values)[::-1][:count]]


def _exponent_slider(p: float) -> ipywidgets.FloatLogSlider:
    # The front end moves p to a whole number of steps: they are made to hit the exponent at the start.
    start = math.log10(min(p, LARGEST_P))
    step = start / math.ceil(start / COARSEST_STEP) if start else COARSEST_STEP
    return ipywidgets.FloatLogSlider(
        value=10**start,
        base=10,
        min=0,
        max=math.log10(LARGEST_P),
        step=step,
        description="p",
        readout_format=".3g",
        layout={"width": "420px"},
    )


def _check(networks: Mapping[str, NDArray[np.float32]], image: NDArray[Any], p: float) -> None:
    if not 1 <= len(networks) <= 2:
        raise ValueError(f"feature maps of one network or of two can be shown, not of {len(networks)}")
    shapes = {maps.shape for maps in networks.values()}
    if len(shapes) > 1:
        raise ValueError(f"the two networks must give maps of one shape, not {sorted(shapes)}")
    shape = shapes.pop()
    if len(shape) != 3:
        raise ValueError(f"feature_map must be (K, H, W), not {shape}: give one image's maps")
    if not all(np.isfinite(maps).all() and maps.min() >= 0 for maps in networks.values()):
        raise ValueError("feature_map must be finite and not negative: pooling stands after a ReLU")
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"image must be uint8 (H, W, 3), not {image.dtype} {image.shape}")
    if not p >= 1:
        raise ValueError(f"p must be 1 or more, not {p}")


class PSlider(LiveElement):
    """Photograph, feature map, contributions and pooled value of one channel, under a slider for p.

    Two networks, for example before and after fine-tuning, are shown side by side: the same channel, the same
    exponent. Show it by ending a cell with it. Numbers travel to the page as float32, so the browser's pooled
    values equal Python's to 1e-5; three digits are shown. A page grows by about 80 KB for script and
    pictures, and by 5.4 bytes for every position of every map: six of 24 x 32 positions make 105 KB.

    Args:
        feature_map: (K, H, W), the last activations of a network for one image, not negative; or two of them
            under the names of their networks.
        image: the photograph, uint8 (H', W', 3), that the map covers.
        p: exponent at the start, 1 or more; ``math.inf`` for the maximum.
        channels: indices of the channels to choose from, the first shown first; by default the six with the
            largest pooled value at p = 3, in the last network.
        photo_alt: what the photograph shows, in words.

    Raises:
        ValueError: for arrays of another form, negative activations, p below 1 or an unknown channel.

    Chapter: 04_feature_maps.
    """

    tag, script = "gem-p-slider", "p_slider"

    def __init__(
        self,
        feature_map: ArrayLike | Mapping[str, ArrayLike],
        image: NDArray[np.uint8],
        p: float = 3.0,
        channels: Sequence[int] | None = None,
        photo_alt: str = "The photograph",
    ) -> None:
        given = feature_map if isinstance(feature_map, Mapping) else {"": feature_map}
        networks = {name: np.asarray(maps, dtype=np.float32) for name, maps in given.items()}
        _check(networks, image, p)
        last = list(networks.values())[-1]
        chosen = list(channels) if channels is not None else strongest_channels(last, 3.0)
        if not chosen or not all(0 <= index < len(last) for index in chosen):
            raise ValueError(f"channels must be some of 0 to {len(last) - 1}, not {chosen}")
        self._networks, self._image, self._photo_alt = networks, image, photo_alt
        self.slider = _exponent_slider(p)
        self.infinite = ipywidgets.Checkbox(value=math.isinf(p), description="p → ∞ (maximum)", indent=False)
        options = [(f"channel {index}", int(index)) for index in chosen]
        self.channel = ipywidgets.Dropdown(options=options, description="channel")
        super().__init__()
        self.begin([self.slider, self.infinite, self.channel])

    @property
    def p(self) -> float:
        """The exponent that is shown."""
        return math.inf if self.infinite.value else float(self.slider.value)

    @property
    def maps(self) -> dict[str, NDArray[np.float32]]:
        """The shown channel's map (H, W) in each network."""
        return {name: maps[self.channel.value] for name, maps in self._networks.items()}

    @property
    def pooled(self) -> list[float]:
        """The shown channel's pooled value at that exponent, one for each network."""
        return [pooled(channel, self.p) for channel in self.maps.values()]

    def update(self, change: object = None) -> None:
        """Computes and draws again."""
        self.slider.disabled = self.infinite.value
        super().update(change)

    def draw(self, title: str = "") -> Figure:
        """The picture as the controls stand."""
        return draw_p_slider(self._image, self.maps, self.p, title)

    def title(self) -> str:
        """Channel, exponent and pooled value."""
        values = " and ".join(map(three_digits, self.pooled))
        return f"Channel {self.channel.value}, p = {three_digits(self.p)}: pooled value {values}"

    def description(self) -> str:
        """What the picture shows, in words."""
        sentences = [self._about(name, channel) for name, channel in self.maps.items()]
        return f"Channel {self.channel.value}, p = {three_digits(self.p)}: {' '.join(sentences)}"

    def _about(self, name: str, channel: NDArray[np.float32]) -> str:
        mean, top = (three_digits(pooled(channel, limit)) for limit in (1.0, math.inf))
        shares = contribution_shares(channel, self.p)
        return (
            f"{name}{', ' if name else ''}pooled value {three_digits(pooled(channel, self.p))}, "
            f"between the mean {mean} and the maximum {top}; "
            f"half of the sum of x^p comes from {half_count(shares)} of {shares.size} positions."
        )

    def alternative(self) -> str:
        """What the picture shows, for those who do not see it."""
        return f"{self._photo_alt}, a feature map and its contributions. {self.description()}"

    def element_data(self) -> dict[str, Any]:
        """What the page's element needs, as JSON."""
        rows, columns = next(iter(self.maps.values())).shape
        height, width = self._image.shape[:2]
        return {
            "rows": rows,
            "columns": columns,
            "eps": EPS,
            "p": None if math.isinf(self.p) else self.p,
            "aspect": width / height,
            "photo": encode_picture(self._image, PHOTO_SIDE),
            "photoAlt": self._photo_alt,
            "networks": list(self._networks),
            "channels": [
                {"index": index, "values": [encode_numbers(maps[index]) for maps in self._networks.values()]}
                for _, index in self.channel.options
            ],
        }
