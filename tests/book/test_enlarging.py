"""Every picture of a figure leads to its file; nothing else of a page is changed."""

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from PIL import Image

from book.builder.enlarging import enlargeable, is_wide

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} 100"></svg>'
FIGURE = """<figure class="align-default" id="fig-x">
{picture}
<figcaption><p><span class="caption-number">Fig. 1.2 </span><span class="caption-text">What?</span></p>
</figcaption></figure>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures of a book: a strip, a square, rows of pictures, a drawing."""
    (tmp_path / "_images").mkdir()
    Image.new("RGB", (300, 100)).save(tmp_path / "_images" / "strip.png")
    Image.new("RGB", (100, 100)).save(tmp_path / "_images" / "square.jpg")
    Image.new("RGB", (1500, 1200)).save(tmp_path / "_images" / "rows.png")
    (tmp_path / "_images" / "drawing.svg").write_text(SVG.format(250))
    return tmp_path


def link(html: str) -> BeautifulSoup:
    (found,) = BeautifulSoup(html, "html.parser").select("figure a.enlarge")
    return found


@pytest.mark.parametrize(
    ("name", "wide"),
    [("strip.png", True), ("square.jpg", False), ("drawing.svg", True), ("rows.png", True)],
)
def test_a_picture_leads_to_its_file(name: str, wide: bool, folder: Path) -> None:
    picture = f'<img alt="Two &gt; one" src="_images/{name}" />'
    found = link(enlargeable(FIGURE.format(picture=picture), folder))
    assert found["href"] == found.img["src"] == f"_images/{name}"
    assert found.img["alt"] == "Two > one", "the link is named by the picture and by what it does"
    assert found.get_text(strip=True) == "Enlarge Fig. 1.2"
    assert ("wide" in found["class"]) == wide


def test_a_link_that_sphinx_has_made_is_replaced(folder: Path) -> None:
    made = '<a class="reference internal image-reference" href="_images/square.jpg">'
    html = enlargeable(FIGURE.format(picture=f'{made}<img alt="x" src="_images/square.jpg" />\n</a>'), folder)
    assert len(BeautifulSoup(html, "html.parser").select("a")) == 1
    assert link(html).get_text() == "Enlarge Fig. 1.2"


def test_what_is_no_figure_and_no_file_of_the_book_stays(folder: Path) -> None:
    alone = '<p><img src="_images/square.jpg" alt="x"></p>'
    inline = (
        '<figure><svg viewBox="0 0 1 1"></svg></figure><figure><img src="data:image/png;base64,AA"></figure>'
    )
    assert enlargeable(alone + inline, folder) == alone + inline


def test_a_drawing_without_a_size_is_named(folder: Path) -> None:
    file = folder / "_images" / "bad.svg"
    file.write_text("<svg></svg>")
    with pytest.raises(ValueError, match=r"bad\.svg: an SVG picture needs a viewBox"):
        is_wide(file)
