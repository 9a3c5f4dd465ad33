"""The pages' pictures become WebP: drawings keep lines, photographs become light, pages ask for them."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from book.builder.pictures import UNSEEN, WIDEST, as_webp, convert
from gem_lite.seeds import stream


def photograph(width: int = 400) -> np.ndarray:
    """Smooth light with noise in it: what PNG is worst at."""
    waves = np.add.outer(np.sin(np.linspace(0, 9, 300)), np.cos(np.linspace(0, 9, width)))
    noise = stream("test", "pictures").normal(0, 4, (300, width, 3))
    return np.clip(128 + 50 * waves[..., None] + noise, 0, 255).astype(np.uint8)


def drawing() -> np.ndarray:
    """Thin orange lines on white, and a bar in 300 shades of blue."""
    picture = np.full((600, 1500, 3), 255, dtype=np.uint8)
    picture[::40] = picture[:, ::40] = (213, 94, 0)
    picture[300:330, :300] = np.linspace((0, 0, 90), (240, 250, 255), 300).astype(np.uint8)
    return picture


def file_of(picture: np.ndarray, format: str = "PNG", **options: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format, **options)
    return file.getvalue()


def shown(webp: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(webp))
    assert image.format == "WEBP"
    return image


def off_by(webp: bytes, picture: np.ndarray) -> np.ndarray:
    return np.abs(np.asarray(shown(webp)).astype(int) - picture)


@pytest.mark.parametrize("format", ["PNG", "JPEG"])
def test_a_photograph_becomes_lighter_and_looks_the_same(format: str) -> None:
    file = file_of(photograph(), format)
    made = as_webp(file)
    assert len(made) < len(file) / 2
    assert off_by(made, photograph()).mean() < 6


def test_a_wide_photograph_becomes_narrower_in_proportion() -> None:
    assert shown(as_webp(file_of(photograph(2 * WIDEST)))).size == (WIDEST, 150)


def test_a_drawing_keeps_its_lines_size_and_colours() -> None:
    difference = off_by(as_webp(file_of(drawing())), drawing())
    assert difference.max() <= UNSEEN
    assert not difference[::40, 301:].any(), "lines have the very colour that they had"


def test_a_transparent_ground_stays() -> None:
    picture = np.dstack([drawing(), np.full((600, 1500), 255, np.uint8)])
    picture[:100, :, 3] = 0
    made = np.asarray(shown(as_webp(file_of(picture))))
    assert (made[..., 3] == picture[..., 3]).all()
    assert (made[100:, :, :3] == picture[100:, :, :3]).all()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    html = tmp_path / "html"
    (html / "_images").mkdir(parents=True)
    (html / "_images" / "drawn.png").write_bytes(file_of(drawing()))
    (html / "_images" / "sheet.jpg").write_bytes(file_of(photograph(), "JPEG"))
    (html / "_images" / "drawn.png.svg").write_text("<svg/>")
    # Of noise so little is left that WebP spends more bytes on what it takes for content.
    noise = stream("test", "noise").integers(0, 256, (200, 200, 3), dtype=np.uint8)
    (html / "_images" / "light.jpg").write_bytes(file_of(noise, "JPEG", quality=1))
    (html / "page.html").write_text(
        '<a href="_images/drawn.png"><img src="_images/drawn.png"></a> <img src="_images/sheet.jpg">'
        '<img src="_images/drawn.png.svg"><img src="_images/light.jpg">'
    )
    return html


def test_the_pages_ask_for_the_new_files_where_they_are_lighter(site: Path) -> None:
    assert len(as_webp((site / "_images" / "light.jpg").read_bytes())) > (
        (site / "_images" / "light.jpg").stat().st_size
    )
    convert(site, site.parent / "kept")
    assert (site / "page.html").read_text() == (
        '<a href="_images/drawn.webp"><img src="_images/drawn.webp"></a> <img src="_images/sheet.webp">'
        '<img src="_images/drawn.png.svg"><img src="_images/light.jpg">'
    )
    left = {path.name for path in (site / "_images").iterdir()}
    assert left == {"drawn.webp", "sheet.webp", "drawn.png.svg", "light.jpg"}


def test_a_picture_is_converted_once_and_forgotten_when_it_is_gone(site: Path) -> None:
    kept = site.parent / "kept"
    files = {path: path.read_bytes() for path in (site / "_images").iterdir()}
    convert(site, kept)
    first = {path.name: path.stat().st_mtime_ns for path in kept.iterdir()}
    for path, content in files.items():
        path.write_bytes(content)
    (site / "_images" / "sheet.jpg").unlink()
    convert(site, kept)
    second = {path.name: path.stat().st_mtime_ns for path in kept.iterdir()}
    assert len(first) == 3
    assert len(second) == 2
    assert second.items() <= first.items()
