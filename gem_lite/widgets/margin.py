"""The margin of the contrastive loss (equation 6): two descriptors on the unit circle and what moves them."""

from typing import Any

import ipywidgets
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gem_lite.losses import NEGATIVE, POSITIVE, QUERY, contrastive_loss
from gem_lite.widgets.element import fixed
from gem_lite.widgets.live import LiveElement
from gem_lite.widgets.margin_picture import draw_margin

MARGINS = (0.05, 1.5)


def unit_vectors(*degrees: float) -> NDArray[np.float64]:
    """Unit vectors (N, 2) at angles in degrees."""
    angles = np.deg2rad(degrees)
    return np.column_stack([np.cos(angles), np.sin(angles)])


class Margin(LiveElement):
    """A query and another image's descriptor on the unit circle: their loss, and the gradients as arrows.

    In the page both are dragged, by pointer or by arrow keys, in steps of a degree; in a live notebook there
    are two sliders. Angles and margin are sent as they are, so that the browser's numbers equal Python's to
    1e-9; four decimals are shown. A page grows by about 60 KB.

    Args:
        query, other: angles in whole degrees at the start, -179 to 180.
        matching: whether the two show the same.
        margin: τ, 0.05 to 1.5.

    Raises:
        ValueError: for a margin outside that range.

    Chapter: 06_training.
    """

    tag, script = "gem-margin", "margin"

    def __init__(self, query: int = 40, other: int = 28, matching: bool = False, margin: float = 0.5) -> None:
        if not MARGINS[0] <= margin <= MARGINS[1]:
            raise ValueError(f"the margin must be {MARGINS[0]} to {MARGINS[1]}, not {margin}")
        self.query = ipywidgets.IntSlider(value=query, min=-179, max=180, description="query (°)")
        self.other = ipywidgets.IntSlider(value=other, min=-179, max=180, description="other (°)")
        kinds = [("a match", True), ("no match", False)]
        self.matching = ipywidgets.ToggleButtons(options=kinds, value=matching, description="The pair is")
        self.margin = ipywidgets.FloatSlider(
            value=margin, min=MARGINS[0], max=MARGINS[1], step=0.01, description="margin τ"
        )
        super().__init__()
        self.begin([self.query, self.other, self.matching, self.margin])

    @property
    def points(self) -> NDArray[np.float64]:
        """The descriptors (2, 2), the query first."""
        return unit_vectors(self.query.value, self.other.value)

    @property
    def distance(self) -> float:
        """How far the two lie apart, 0 to 2."""
        return float(np.linalg.norm(np.subtract(*self.points)))

    @property
    def loss(self) -> float:
        """Equation 6 for the pair, by `gem_lite.losses.contrastive_loss`."""
        return self._differentiated(through_normalisation=False)[0]

    @property
    def gradients(self) -> NDArray[np.float64]:
        """Gradient (2, 2) of the loss with respect to the two descriptors."""
        return self._differentiated(through_normalisation=False)[1]

    @property
    def tangents(self) -> NDArray[np.float64]:
        """The same with respect to what is brought to unit length: the part of it along the circle."""
        return self._differentiated(through_normalisation=True)[1]

    def _differentiated(self, through_normalisation: bool) -> tuple[float, NDArray[np.float64]]:
        vectors = torch.from_numpy(self.points).requires_grad_()
        x = torch.nn.functional.normalize(vectors, dim=1) if through_normalisation else vectors
        labels = torch.tensor([QUERY, POSITIVE if self.matching.value else NEGATIVE])
        loss = contrastive_loss(x, labels, self.margin.value, eps=0.0)
        (gradient,) = torch.autograd.grad(loss, vectors)
        return loss.item(), gradient.numpy()

    def verdict(self) -> str:
        """What happens to the pair, in words."""
        if self.matching.value:
            return "a match: pulled together" if self.distance else "a match, at one place: no pull"
        if not self.distance:
            return "no match, at one place: no direction"
        if self.distance < self.margin.value:
            return "no match, inside the margin: pushed apart"
        return "no match, beyond the margin: no gradient"

    def draw(self, title: str = "") -> Figure:
        """The picture as the controls stand."""
        return draw_margin(
            self.points, self.gradients, self.tangents, self.matching.value, self.margin.value, title
        )

    def title(self) -> str:
        """The verdict, with margin and loss."""
        return f"{self.verdict()} (τ = {fixed(self.margin.value, 2)}, loss {fixed(self.loss, 4)})"

    def description(self) -> str:
        """What the picture shows, in words."""
        length, along = (float(np.linalg.norm(both[1])) for both in (self.gradients, self.tangents))
        return (
            f"Query at {fixed(self.query.value, 0)}°, other image at {fixed(self.other.value, 0)}°, margin "
            f"{fixed(self.margin.value, 2)}; {self.verdict()}. Distance {fixed(self.distance, 4)}, "
            f"cosine {fixed(float(np.prod(self.points, axis=0).sum()), 4)}, loss {fixed(self.loss, 4)}, "
            f"gradient of length {fixed(length, 4)}, {fixed(along, 4)} of it along the circle."
        )

    def alternative(self) -> str:
        """What the picture shows, for those who do not see it."""
        return (
            f"Two descriptors on the unit circle, a circle of the margin around the query, arrows for the "
            f"way each moves, and the loss over the distance. {self.description()}"
        )

    def element_data(self) -> dict[str, Any]:
        """What the page's element needs, as JSON."""
        return {
            "query": self.query.value,
            "other": self.other.value,
            "matching": self.matching.value,
            "margin": self.margin.value,
        }
