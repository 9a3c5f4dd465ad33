"""Heavy photographs become JPEG in the pages; drawings and small pictures stay what they are."""

import base64
import io
from typing import Any

import numpy as np
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

from book.builder.pictures import lighter
from gem_lite.seeds import stream


def photograph() -> np.ndarray:
    """Smooth light with noise in it: what PNG is worst at."""
    waves = np.add.outer(np.sin(np.linspace(0, 9, 300)), np.cos(np.linspace(0, 9, 400)))
    noise = stream("test", "pictures").normal(0, 4, (300, 400, 3))
    return np.clip(128 + 50 * waves[..., None] + noise, 0, 255).astype(np.uint8)


def drawing() -> np.ndarray:
    picture = np.full((1500, 2000, 3), 255, dtype=np.uint8)
    picture[::40] = picture[:, ::40] = 0
    return picture


def shown(picture: np.ndarray, pad: int = 0) -> Any:
    """The data of an output, after `lighter`; ``pad`` bytes make a file heavy that shows the same."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    text = base64.b64encode(file.getvalue() + bytes(pad)).decode()
    output = new_output("display_data", data={"image/png": text, "text/plain": "<Figure>"})
    notebook = lighter(new_notebook(cells=[new_code_cell("draw()", outputs=[output])]))
    return notebook.cells[0].outputs[0].data


def test_a_photograph_becomes_lighter_and_looks_the_same() -> None:
    data = shown(photograph())
    assert set(data) == {"image/jpeg", "text/plain"}
    made = base64.b64decode(data["image/jpeg"])
    difference = np.asarray(Image.open(io.BytesIO(made))).astype(int) - photograph()
    assert np.abs(difference).mean() < 6


def test_drawings_and_small_pictures_stay() -> None:
    for data in (shown(drawing()), shown(drawing(), pad=150_000), shown(photograph()[:60, :60])):
        assert set(data) == {"image/png", "text/plain"}


def test_a_transparent_ground_becomes_white() -> None:
    picture = np.dstack([photograph(), np.zeros((300, 400), np.uint8)])
    made = Image.open(io.BytesIO(base64.b64decode(shown(picture)["image/jpeg"])))
    assert np.asarray(made).min() >= 250
