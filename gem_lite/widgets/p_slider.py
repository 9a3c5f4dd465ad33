"""A slider for the exponent p of GeM pooling (equation 3): which positions of a feature map still count?

In JupyterLab or Colab a live control that pools with `gem_lite.pooling`; in the built page an element that
computes the same numbers in the browser, without a kernel and without a network.
"""

import base64
import html
import io
import math
from collections.abc import Sequence
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from gem_lite.widgets.element import element_html, encode_numbers, encode_picture
from gem_lite.widgets.p_slider_picture import (
    EPS,
    contribution_shares,
    draw_p_slider,
    half_count,
    png,
    pooled,
    three_digits,
)

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


def _check(feature_map: NDArray[np.float32], image: NDArray[Any], p: float) -> None:
    if feature_map.ndim != 3:
        raise ValueError(f"feature_map must be (K, H, W), not {feature_map.shape}: give one image's maps")
    if not np.isfinite(feature_map).all() or feature_map.min() < 0:
        raise ValueError("feature_map must be finite and not negative: pooling stands after a ReLU")
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"image must be uint8 (H, W, 3), not {image.dtype} {image.shape}")
    if not p >= 1:
        raise ValueError(f"p must be 1 or more, not {p}")


class PSlider(ipywidgets.VBox):  # type: ignore[misc]
    """Photograph, feature map, contributions and pooled value of one channel, under a slider for p.

    Show it by ending a cell with it. Numbers travel to the page as float32, so the browser's pooled values
    equal Python's to 1e-5; three digits are shown. A page grows by about 80 KB for script and pictures,
    and by 5.4 bytes for every position of every channel: six maps of 24 x 32 positions make 105 KB.

    Args:
        feature_map: (K, H, W), the last activations of a network for one image; not negative.
        image: the photograph, uint8 (H', W', 3), that the map covers.
        p: exponent at the start, 1 or more; ``math.inf`` for the maximum.
        channels: indices of the channels to choose from, the first shown first; by default the six with the
            largest pooled value at p = 3.
        photo_alt: what the photograph shows, in words.

    Raises:
        ValueError: for arrays of another form, negative activations, p below 1 or an unknown channel.

    Chapter: 04_feature_maps.
    """

    def __init__(
        self,
        feature_map: ArrayLike,
        image: NDArray[np.uint8],
        p: float = 3.0,
        channels: Sequence[int] | None = None,
        photo_alt: str = "The photograph",
    ) -> None:
        maps = np.asarray(feature_map, dtype=np.float32)
        _check(maps, image, p)
        chosen = list(channels) if channels is not None else strongest_channels(maps, 3.0)
        if not chosen or not all(0 <= index < len(maps) for index in chosen):
            raise ValueError(f"channels must be some of 0 to {len(maps) - 1}, not {chosen}")
        self._maps = {int(index): maps[index] for index in chosen}
        self._image, self._photo_alt = image, photo_alt
        self.slider = _exponent_slider(p)
        self.infinite = ipywidgets.Checkbox(value=math.isinf(p), description="p → ∞ (maximum)", indent=False)
        options = [(f"channel {index}", index) for index in self._maps]
        self.channel = ipywidgets.Dropdown(options=options, description="channel")
        self.picture = ipywidgets.Image(format="png", layout={"max_width": "100%"})
        self.readout = ipywidgets.HTML()
        controls = ipywidgets.HBox([self.slider, self.infinite, self.channel], layout={"flex_flow": "wrap"})
        super().__init__([controls, self.readout, self.picture])
        for control in (self.slider, self.infinite, self.channel):
            control.observe(self._update, "value")
        self._update()

    @property
    def p(self) -> float:
        """The exponent that is shown."""
        return math.inf if self.infinite.value else float(self.slider.value)

    @property
    def pooled(self) -> float:
        """The shown channel's pooled value at that exponent."""
        return pooled(self._maps[self.channel.value], self.p)

    def _update(self, change: object = None) -> None:
        self.slider.disabled = self.infinite.value
        self.picture.value = self._png()
        self.readout.value = f"<p>{html.escape(self.description())}</p>"

    def _png(self, title: str = "") -> bytes:
        return png(draw_p_slider(self._image, self._maps[self.channel.value], self.p, title))

    def _titled_png(self) -> bytes:
        """The picture where no words stand beside it."""
        value = three_digits(self.pooled)
        return self._png(f"Channel {self.channel.value}, p = {three_digits(self.p)}: pooled value {value}")

    def description(self) -> str:
        """What the picture shows, in words."""
        channel = self._maps[self.channel.value]
        mean, top = (three_digits(pooled(channel, limit)) for limit in (1.0, math.inf))
        shares = contribution_shares(channel, self.p)
        return (
            f"Channel {self.channel.value}, p = {three_digits(self.p)}: "
            f"pooled value {three_digits(self.pooled)}, between the mean {mean} and the maximum {top}. "
            f"Half of the sum of x^p comes from {half_count(shares)} of {shares.size} positions."
        )

    def static_html(self) -> str:
        """The element for a page without a kernel; starts at the exponent that is shown now."""
        rows, columns = next(iter(self._maps.values())).shape
        height, width = self._image.shape[:2]
        data = {
            "rows": rows,
            "columns": columns,
            "eps": EPS,
            "p": None if math.isinf(self.p) else self.p,
            "aspect": width / height,
            "photo": encode_picture(self._image, PHOTO_SIDE),
            "photoAlt": self._photo_alt,
            "channels": [
                {"index": index, "values": encode_numbers(values)} for index, values in self._maps.items()
            ],
        }
        picture = np.asarray(Image.open(io.BytesIO(self._titled_png())).convert("RGB"))
        fallback = encode_picture(picture, max(picture.shape), quality=70)
        alt = f"{self._photo_alt}, a feature map and its contributions. {self.description()}"
        return element_html("gem-p-slider", "p_slider", data, fallback, alt)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The live control, and beside it what the built page (HTML) and its PDF (PNG) show instead."""
        bundle = super()._repr_mimebundle_(**kwargs)
        picture = base64.b64encode(self._titled_png()).decode()
        return {**bundle, "text/html": self.static_html(), "image/png": picture}
