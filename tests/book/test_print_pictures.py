"""For print photographs are JPEG; drawings stay what they are."""

from pathlib import Path

import numpy as np
from PIL import Image

from book.builder.print_pictures import with_jpeg
from gem_lite.seeds import stream


def test_photographs_alone_are_made_anew(tmp_path: Path) -> None:
    images = tmp_path / "html" / "_images"
    images.mkdir(parents=True)
    pixels = stream("test", "print").integers(0, 255, (20, 30, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(images / "town.webp", quality=60)
    Image.fromarray(pixels).save(images / "chart.webp", lossless=True)
    page = '<img src="html/_images/town.webp"><img src="html/_images/chart.webp"><img src="html/a.png">'
    made = with_jpeg(page, tmp_path, tmp_path / "print")
    assert made == page.replace("html/_images/town.webp", "print/town.jpg")
    assert [path.name for path in (tmp_path / "print").iterdir()] == ["town.jpg"]
    assert Image.open(tmp_path / "print" / "town.jpg").size == (30, 20)
