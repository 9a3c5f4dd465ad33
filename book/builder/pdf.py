"""``python -m book.builder.pdf``: the built book as one PDF file, printed by the system's Chromium.

One document rather than a file for each page: so cross-references are links inside it, pages are counted
through, and the bookmarks are those of the whole book.
"""

import argparse
import contextlib
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from playwright.sync_api import Browser, Page
from pypdf import PdfReader, PdfWriter
from pypdf.generic import Destination, NameObject, TextStringObject

from . import chromium
from .errors import BuildError
from .one_page import Part, one_page
from .paths import Paths
from .print_pictures import with_jpeg
from .rendering import CONFIG

HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map((heading) =>
    heading.textContent.replace(/\\s+/g, " ").trim())"""
SUBTITLE = "Fine-tuning CNN image retrieval with no human annotation, as an executable book"
PATIENCE = 600_000  # milliseconds: a book of pictures takes a while on a busy machine
FOOTER = (
    '<div style="font: 8px sans-serif; color: #5f6b76; width: 100%; text-align: center">'
    '<span class="pageNumber"></span></div>'
)
# Formulas are typeset, pictures decoded; a font that comes late would move every line.
READY = """async () => {
    if (window.MathJax?.startup?.promise) await MathJax.startup.promise;
    await Promise.all([...document.images].map((image) => image.decode()));
    await document.fonts.ready;
}"""
# Contents: the numbers of the pages, known after a first printing.
NUMBER = """(pages) => {
    for (const place of document.querySelectorAll("[data-page]"))
        place.textContent = pages[place.dataset.page] ?? "";
}"""


def parts(toc: Path) -> list[Part]:
    """The table of contents as captions with pages.

    >>> import tempfile
    >>> toc = Path(tempfile.mkdtemp()) / "_toc.yml"
    >>> _ = toc.write_text("root: intro\\nparts: [{caption: A, chapters: [{file: x}]}]")
    >>> [(part.caption, part.pages) for part in parts(toc)]
    [('', ['intro']), ('A', ['x'])]
    """
    content = yaml.safe_load(toc.read_text(encoding="utf8"))
    listed = content.get("parts") or [{"chapters": content.get("chapters", [])}]
    names = [(part.get("caption", ""), [entry["file"] for entry in part["chapters"]]) for part in listed]
    return [Part("", [content["root"]]), *(Part(caption, pages) for caption, pages in names)]


def write_pdf(
    html: Path, contents: Sequence[Part], out: Path, title: str, browser: Browser | None = None
) -> int:
    """Print these pages of the built book into one file.

    Args:
        html: folder of the built book.
        contents: what is printed, in order.
        out: the file; what is there is replaced once the new one is whole.
        title: of the book.
        browser: one that is running; by default one is started for this.

    Returns:
        Number of pages.

    Raises:
        BuildError: when a page has not been built, or there is no browser.
    """
    missing = [n for part in contents for n in part.pages if not (html / f"{n}.html").is_file()]
    if missing:
        raise BuildError(f"no built page for {', '.join(missing)} in {html}: run `make book` first")
    out.parent.mkdir(parents=True, exist_ok=True)
    # Beside the book, so that it finds the book's pictures and styles.
    document = html.parent / "print.html"
    photographs = html.parent / "print"
    text = one_page(html, contents, title, SUBTITLE, html.name)
    document.write_text(with_jpeg(text, html.parent, photographs), encoding="utf8")
    raw = out.with_suffix(".part.pdf")
    try:
        with contextlib.ExitStack() as stack:
            browser = browser or stack.enter_context(chromium.launched())
            page = browser.new_page(color_scheme="light", reduced_motion="reduce")
            stack.callback(page.close)
            page.set_default_timeout(PATIENCE)
            page.goto(document.as_uri(), wait_until="load")
            page.evaluate(READY)
            _print(page, raw)
            page.evaluate(NUMBER, first_pages(raw))
            _print(page, raw)
            headings = page.evaluate(HEADINGS)
        count = _finish(raw, title, headings)
        raw.replace(out)
    finally:
        document.unlink(missing_ok=True)
        shutil.rmtree(photographs, ignore_errors=True)
        raw.unlink(missing_ok=True)
    return count


def _print(page: Page, file: Path) -> None:
    page.pdf(
        path=file,
        format="A4",
        print_background=True,
        display_header_footer=True,
        header_template="<span></span>",
        footer_template=FOOTER,
        margin={"top": "18mm", "bottom": "18mm", "left": "16mm", "right": "16mm"},
        outline=True,
        tagged=True,
    )


def first_pages(file: Path) -> dict[str, int]:
    """On which page, counted from 1, each place that is linked to lies, by its id."""
    reader = PdfReader(file)
    found = {}
    for name, place in reader.named_destinations.items():
        number = reader.get_destination_page_number(place)
        if number is not None:
            found[name.lstrip("/")] = number + 1
    return found


def _finish(file: Path, title: str, headings: Sequence[str]) -> int:
    """A title, and the bookmarks shown, named as the headings are; the number of pages.

    Chromium writes the words of a heading that has moved to a new page twice.
    """
    writer = PdfWriter(clone_from=file)
    marks = list(_outline(writer.root_object["/Outlines"].get_object()))
    for mark, heading in zip(marks, headings, strict=True):
        mark[NameObject("/Title")] = TextStringObject(heading)
    writer.add_metadata({"/Title": title, "/Subject": SUBTITLE})
    writer.page_mode = "/UseOutlines"
    with file.open("wb") as stream:
        writer.write(stream)
    return len(writer.pages)


def _outline(item: Any) -> Iterator[Any]:
    """The bookmarks below one, in order."""
    child = item.get("/First")
    while child is not None:
        child = child.get_object()
        yield child
        yield from _outline(child)
        child = child.get("/Next")


def bookmarks(reader: PdfReader) -> list[tuple[int, str, int]]:
    """Depth, title and page (from 1) of every bookmark, in order."""

    def walk(items: Any, depth: int) -> Iterator[tuple[int, str, int]]:
        for item in items:
            if isinstance(item, Destination):
                yield depth, str(item.title), (reader.get_destination_page_number(item) or 0) + 1
            else:
                yield from walk(item, depth + 1)

    return list(walk(reader.outline, 0))


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 for a written file, 1 for a problem with it."""
    parser = argparse.ArgumentParser(prog="python -m book.builder.pdf", description=__doc__)
    parser.add_argument("out", nargs="?", type=Path, help="the file (default: _build/gem-lite.pdf)")
    parser.add_argument("--root", type=Path, default=Path(), help="the checkout (default: here)")
    options = parser.parse_args(arguments)
    paths = Paths(options.root.resolve(), "")
    out = (options.out or paths.build / "gem-lite.pdf").resolve()
    title = yaml.safe_load((paths.root / CONFIG).read_text(encoding="utf8"))["title"]
    print("Printing the book takes a minute or so ...", flush=True)
    try:
        count = write_pdf(paths.html, parts(paths.book / "_toc.yml"), out, title)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{count} pages, {out.stat().st_size / 1e6:.1f} MB: {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
