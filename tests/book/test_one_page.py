"""The document that is printed: nothing of two pages is mixed up in it, and every link stays inside."""

from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from book.builder.one_page import Part, one_page

PAGE = """<html><head><link rel="stylesheet" href="_static/a.css"><script src="_static/theme.js"></script>
<script defer src="_static/mathjax/tex-chtml.js"></script></head><body><nav>menu</nav><article>
<section id="top"><h1><span class="section-number">{number}. </span>{title}<a class="headerlink">#</a></h1>
<h2 id="question">Question</h2><p><a href="#question">here</a> <a href="{other}.html">there</a>
<a href="{other}.html#question">its question</a> <a href="https://paper.example/">paper</a>
<a href="unprinted.html">elsewhere</a></p>
<figure id="fig"><a class="enlarge" href="_images/x.png">
<img src="_images/x.png" alt="x" aria-describedby="question">
<span class="enlarge-sign">Enlarge</span></a></figure>
<details class="hide above-input"><summary>Show code</summary>secret = 1</details>
<details class="solution"><summary>Solution</summary>It is 2.</details>
<gem-slider><script type="application/json">[1]</script>
<noscript><img src="data:image/png;base64,AA" alt="still"></noscript></gem-slider>
</section></article></body></html>"""


@pytest.fixture
def printed(tmp_path: Path) -> BeautifulSoup:
    (tmp_path / "a.html").write_text(PAGE.format(number=1, title="Alpha", other="b"))
    (tmp_path / "b.html").write_text(PAGE.format(number=2, title="Beta &amp; more", other="a"))
    parts = [Part("", ["a"]), Part("The rest", ["b"])]
    return BeautifulSoup(one_page(tmp_path, parts, "Book", "of two pages", "../html"), "html.parser")


def test_each_id_is_there_once(printed: BeautifulSoup) -> None:
    ids = [tag["id"] for tag in printed.find_all(id=True)]
    assert len(ids) == len(set(ids))
    assert {"a", "b", "a--question", "b--question", "b--fig"} <= set(ids)
    assert [tag["aria-describedby"] for tag in printed.select("figure img")] == ["a--question", "b--question"]


def test_links_lead_to_places_of_the_document(printed: BeautifulSoup) -> None:
    addresses = [link["href"] for link in printed.select("section#a p a")]
    outside = ["https://paper.example/", "../html/unprinted.html"]
    assert addresses == ["#a--question", "#b", "#b--question", *outside]
    ids = {tag["id"] for tag in printed.find_all(id=True)}
    assert all(address[1:] in ids for address in addresses if address.startswith("#"))


def test_files_are_found_from_the_new_place(printed: BeautifulSoup) -> None:
    assert {tag["href"] for tag in printed.find_all("link")} == {"../html/_static/a.css"}
    assert printed.select_one("figure img")["src"] == "../html/_images/x.png"
    assert printed.select_one("gem-slider img")["src"] == "data:image/png;base64,AA"


def test_headings_make_one_tree(printed: BeautifulSoup) -> None:
    headings = [(tag.name, tag.get_text(strip=True)) for tag in printed.find_all(["h1", "h2", "h3"])]
    alpha = [("h2", "1.Alpha"), ("h3", "Question")]
    assert headings == [*alpha, ("h1", "The rest"), ("h2", "2.Beta & more"), ("h3", "Question")]


def test_what_is_of_no_use_on_paper_is_gone(printed: BeautifulSoup) -> None:
    scripts = [tag.get("src") for tag in printed.find_all("script")]
    assert scripts == ["../html/_static/mathjax/tex-chtml.js"], "a slider then shows its picture"
    text = printed.get_text()
    assert "secret" not in text
    assert "menu" not in text
    assert "Enlarge" not in text
    assert printed.select("figure a") == []
    assert "It is 2." in text
    assert printed.find("noscript") is None
    assert all(tag.has_attr("open") for tag in printed.find_all("details"))


def test_contents_name_every_chapter(printed: BeautifulSoup) -> None:
    lines = printed.select(".print-contents a")
    assert [line.span.get_text() for line in lines] == ["1. Alpha", "2. Beta & more"]
    assert [line["href"] for line in lines] == ["#a", "#b"]
