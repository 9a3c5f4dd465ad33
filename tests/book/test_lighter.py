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


@pytest.mark.parametrize(
    ("before", "after"), [("", ","), ("(", ")."), ("", "-slider"), ("(", " and"), ("“", "”")]
)
def test_a_formula_is_not_parted_from_its_punctuation(before: str, after: str) -> None:
    math = r'<span class="math notranslate">\(p\)</span>'
    sign, space, word = after.partition(" ")
    whole = f'<span class="together">{before}{math}{sign}</span>'
    assert mended(f"<p>the {before}{math}{after} it</p>") == f"<p>the {whole}{space}{word} it</p>"


def test_a_formula_between_words_is_left_alone() -> None:
    html = r'<p>at <span class="math notranslate">\(p\)</span> it</p>'
    assert mended(html) == html


@pytest.mark.parametrize("interval", ["[−3.1, −0.7]", "[0, +12]", "71.2 ± 0.4", "68.1 to 75.0"])
def test_an_interval_is_on_one_line(interval: str) -> None:
    html = '<td title="{0}">so {0} here</td>'
    unparted = interval.replace(" ", "\xa0")
    assert mended(html.format(interval)) == f'<td title="{interval}">so {unparted} here</td>'


@pytest.mark.parametrize("text", ["chapters 3 to 6", "[1] and [2]", "x[3], 4]", "[3, x]"])
def test_what_is_no_interval_is_left_alone(text: str) -> None:
    assert mended(f"<p>{text}</p>") == f"<p>{text}</p>"


def test_short_code_is_on_one_line_and_a_long_name_may_be_on_two() -> None:
    html = '<code class="docutils literal">{}</code>'
    assert mended(html.format("(N, D)")) == html.format("(N, D)").replace("literal", "literal together")
    for name in ("test_the_whole_score_matrix_is_never_held", "reference_l2_normalise"):
        assert mended(html.format(name)) == html.format(name.replace("_", "_<wbr>"))
    shown = '<code class="literal"><span class="pre">(N,</span> <span class="pre">D)</span></code>'
    assert "literal together" in mended(shown), "tags are no letters"


def test_code_and_data_keep_their_spaces() -> None:
    html = (
        '<pre>7 % 3, [1, 2]</pre><code>7 % 3</code><script type="application/json">["7 %", [1, 2]]</script>'
    )
    assert mended(html) == html
