"""What the book's widgets have in common: controls, a picture and words that follow them.

In JupyterLab or Colab a live control; in the built page the self-contained element of the same name.
"""

import base64
import html
import io
from collections.abc import Sequence
from typing import Any, ClassVar

import ipywidgets
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from gem_lite.widgets.element import element_html, encode_picture, png


class LiveElement(ipywidgets.VBox):  # type: ignore[misc]
    """Controls in a row, words below them, a picture below those.

    A class on top of it names its element (``tag``) and that element's files (``script``), calls ``begin``
    with its controls once their values can be read, and says what to show: ``draw``, ``description`` and
    ``element_data``.
    """

    tag: ClassVar[str]
    script: ClassVar[str]

    def begin(self, controls: Sequence[ipywidgets.Widget]) -> None:
        """Shows the controls; picture and words follow them from now on."""
        self.picture = ipywidgets.Image(format="png", layout={"max_width": "100%"})
        self.readout = ipywidgets.HTML()
        row = ipywidgets.HBox(list(controls), layout={"flex_flow": "wrap"})
        self.children = (row, self.readout, self.picture)
        for control in controls:
            control.observe(self.update, "value")
        self.update()

    def update(self, change: object = None) -> None:
        """Computes and draws again; called whenever a control has moved."""
        self.picture.value = png(self.draw())
        self.readout.value = f"<p>{html.escape(self.description())}</p>"

    def draw(self, title: str = "") -> Figure:
        """The picture as the controls stand; the title is for places where no words stand beside it."""
        raise NotImplementedError

    def description(self) -> str:
        """What the picture shows, in words."""
        raise NotImplementedError

    def title(self) -> str:
        """What the picture shows, in a line."""
        return self.description().split(". ")[0]

    def alternative(self) -> str:
        """What the picture shows, for those who do not see it."""
        return self.description()

    def element_data(self) -> dict[str, Any]:
        """What the page's element needs, as JSON; it starts as the controls stand now."""
        raise NotImplementedError

    def titled_png(self) -> bytes:
        """The picture where no words stand beside it."""
        return png(self.draw(self.title()))

    def static_html(self) -> str:
        """The element for a page without a kernel."""
        picture = np.asarray(Image.open(io.BytesIO(self.titled_png())).convert("RGB"))
        fallback = encode_picture(picture, max(picture.shape), quality=70)
        return element_html(self.tag, self.script, self.element_data(), fallback, self.alternative())

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The live control, and beside it what the built page (HTML) and its PDF (PNG) show instead."""
        bundle = super()._repr_mimebundle_(**kwargs)
        picture = base64.b64encode(self.titled_png()).decode()
        return {**bundle, "text/html": self.static_html(), "image/png": picture}
