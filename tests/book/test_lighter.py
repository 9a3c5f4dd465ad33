"""What the extensions take out of built pages, and what they leave."""

from pathlib import Path

import pytest

from book.builder.lighter import lighten
from book.builder.markup import mended

ICONS = '<script defer src="_static/scripts/fontawesome.js?digest=1"></script>'
THEME = '<script defer src="_static/scripts/theme.js"></script>'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name in ("locales/de/x.mo", "styles/a.css.map", "vendor/f.ttf", "vendor/f.woff2", "styles/a.css"):
        path = tmp_path / "_static" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    scripts = tmp_path / "_static" / "scripts"
    scripts.mkdir()
    (scripts / "fontawesome.js").write_text("icons")
    (scripts / "theme.js").write_text("run();\n//# sourceMappingURL=theme.js.map\n")
    (tmp_path / "page.html").write_text(f"<head>{ICONS}{THEME}</head><i class='fa-bars'></i>")
    lighten(tmp_path)
    return tmp_path


def test_what_a_page_uses_stays(site: Path) -> None:
    left = {path.name for path in (site / "_static").rglob("*") if path.is_file()}
    assert left == {"f.woff2", "a.css", "theme.js"}


def test_nothing_asks_for_what_is_gone(site: Path) -> None:
    assert (site / "page.html").read_text() == f"<head>{THEME}</head><i class='fa-bars'></i>"
    assert (site / "_static" / "scripts" / "theme.js").read_text() == "run();\n"


def test_code_has_elements_for_what_has_a_colour_of_its_own(tmp_path: Path) -> None:
    code = '<span class="kn">import</span><span class="w"> </span><span class="n">a</span>'
    (tmp_path / "page.html").write_text(f'{code}<span class="p"><b>x</b></span>')
    lighten(tmp_path)
    assert (tmp_path / "page.html").read_text() == (
        '<span class="kn">import</span> a<span class="p"><b>x</b></span>'
    )


def test_a_header_with_words_stays_a_header() -> None:
    html = '<th class="head text-right"><p>mAP</p></th><th class="head"></th><th><p><b>x</b></p></th>'
    assert mended(html) == html.replace('<th class="head"></th>', "<td></td>")


def test_citations_are_plain_text() -> None:
    entry = '<div class="citation" id="id1" role="doc-biblioentry">A.</div>'
    html = f'<div role="list" class="citation-list">{entry}</div>'
    assert mended(html) == '<div class="citation-list"><div class="citation" id="id1">A.</div></div>'


def test_a_number_is_not_parted_from_its_unit() -> None:
    pasted = '<span class="pasted-text">42.1</span>'
    html = f"<p>It is {pasted}\n% of {pasted} points, 95 % of 3 steps.</p>"
    text = mended(html).replace("\xa0", "_")
    assert text == f"<p>It is {pasted}_% of {pasted} points, 95_% of 3 steps.</p>"


def test_a_formula_is_not_parted_from_the_number_that_it_equals() -> None:
    pair = r'<span class="math notranslate">\(p =\)</span> <span class="pasted-text">3</span>'
    assert mended(f"at {pair} it") == f'at <span class="together">{pair}</span> it'


def test_code_and_data_keep_their_spaces() -> None:
    html = '<pre>7 % 3</pre><code>7 % 3</code><script type="application/json">["7 %"]</script>'
    assert mended(html) == html
