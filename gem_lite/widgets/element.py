"""A custom element for a page without a kernel: data, script and fallback picture as one HTML text.

The element's numbers lie as JSON inside it and its script stands behind it, both in the page itself: nothing
is fetched, so the page also works from ``file://`` and without a network. Where there is no JavaScript the
fallback picture, which is a child of the element, is simply shown.
"""

import base64
import html
import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

HERE = Path(__file__).resolve().parent
# The theme puts a light card behind every HTML output in dark mode. An element that draws its own card must
# undo that one; `:defined` leaves it to the fallback picture, whose background is white.
PAGE_STYLE = """
{tag} {{ display: block; }}
{tag} > img {{ max-width: 100%; height: auto; }}
html .bd-content div.cell_output .text_html:has({tag}:defined) {{
  background: none !important; color: inherit !important; padding: 0 !important;
  overflow: visible; /* a box that scrolls would take a line that sticks to the window's edge with it */
}}
"""


def encode_numbers(numbers: NDArray[Any]) -> str:
    """Base64 of the numbers as little-endian float32, read back by ``decodeNumbers`` of element.js.

    >>> encode_numbers(np.array([1.0]))
    'AACAPw=='
    """
    return base64.b64encode(np.ascontiguousarray(numbers, dtype="<f4").tobytes()).decode()


def encode_picture(
    image: NDArray[np.uint8], longer_side: int, format: str = "webp", quality: int = 80
) -> str:
    """A ``data:`` address of the picture (H, W, 3), its longer side at most ``longer_side`` pixels."""
    picture = Image.fromarray(image)
    picture.thumbnail((longer_side, longer_side), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    picture.save(stream, format=format, quality=quality)
    return f"data:image/{format};base64,{base64.b64encode(stream.getvalue()).decode()}"


def blank_figure(width: float, height: float) -> Figure:
    """A white figure, in inches, whose parts are placed by hand.

    A layout engine would draw everything twice, and a live control would feel it.
    """
    figure = Figure(figsize=(width, height), facecolor="white")
    figure.set_layout_engine("none")
    return figure


def png(figure: Figure, dpi: int = 100) -> bytes:
    """The figure as PNG."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=dpi)
    return stream.getvalue()


def three_digits(number: float) -> str:
    """A number to three significant digits, as element.js writes it.

    >>> three_digits(3.0), three_digits(1055.9), three_digits(0.01234), three_digits(math.inf)
    ('3.00', '1060', '0.0123', '∞')
    """
    if math.isinf(number) or number == 0:
        return "∞" if number else "0"
    rounded = float(f"{number:.3g}")
    decimals = max(0, 2 - math.floor(math.log10(abs(rounded))))
    if decimals <= 6:
        return f"{rounded:.{decimals}f}"
    mantissa, exponent = f"{rounded:.2e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def fixed(number: float, decimals: int) -> str:
    """A number with so many decimals, a real minus, and none before a zero; as element.js writes it.

    >>> fixed(-0.25, 1), fixed(-0.04, 1), fixed(3.0, 2)
    ('−0.2', '0.0', '3.00')
    """
    text = f"{number:.{decimals}f}"
    return text.replace("-", "" if float(text) == 0 else "−")


def script_source(name: str) -> str:
    """JavaScript of the element ``name``: style sheets as ``STYLE``, the shared functions, and its own."""

    def both(suffix: str) -> str:
        return "\n".join((HERE / f"{part}{suffix}").read_text(encoding="utf8") for part in ("element", name))

    return f"const STYLE = {json.dumps(both('.css'))};\n{both('.js')}"


def element_html(tag: str, name: str, data: Mapping[str, Any], fallback: str, alt: str) -> str:
    """HTML of one element.

    Args:
        tag: name of the custom element, for example ``"gem-p-slider"``.
        name: of its JavaScript and style sheet in this folder, without the suffix.
        data: what the element needs; must be JSON.
        fallback: address of the picture that is shown where there is no JavaScript.
        alt: what that picture shows, in words.
    """
    # "<" cannot end the script early when it is written as an escape.
    numbers = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    # A scope of its own for every copy: several elements on one page share nothing but the element's name.
    script = f"(() => {{\n'use strict';\n{script_source(name)}\n}})();"
    return (
        f"<{tag}><style>{PAGE_STYLE.format(tag=tag)}</style>"
        f'<script type="application/json">{numbers}</script>'
        f'<img src="{html.escape(fallback)}" alt="{html.escape(alt)}"></{tag}>\n'
        f"<script>{script}</script>"
    )
