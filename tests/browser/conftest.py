"""The built book, and pages of our own, in a real Chromium that reaches nothing but this machine.

Without a browser, or without a built book, these tests are skipped with a reason; where CI=true they fail.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

import pytest
from playwright.sync_api import Browser, BrowserContext
from visits import PATIENCE, Visit, listening, served

from book.builder import chromium
from book.builder.errors import BuildError

ROOT = Path(__file__).resolve().parents[2]
BOOK = Path(os.environ.get("GEM_LITE_BOOK", ROOT / "_build" / "html"))


def missing(reason: str) -> NoReturn:
    """Skips the test; fails it where CI=true, so that a green run means that it ran."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium; ``$CHROMIUM`` names another one."""
    try:
        with chromium.launched() as running:
            yield running
    except BuildError as error:
        missing(str(error))


@pytest.fixture(scope="session")
def built_book() -> Path:
    """Folder of the built book."""
    if not (BOOK / "index.html").is_file():
        missing(f"no built book at {BOOK}: run `make book` first")
    return BOOK


@pytest.fixture(scope="session")
def book_address(built_book: Path) -> Iterator[str]:
    """The built book over http."""
    with served(built_book) as address:
        yield address


Visitor = Callable[..., Visit]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visitor]:
    """``visit(url, scheme="light", width=1200, **context)`` opens a page in a fresh profile."""
    contexts: list[BrowserContext] = []
    stack = ExitStack()

    def open_page(url: str, scheme: str = "light", width: int = 1200, **options: Any) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", **options
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        place = "file://" if url.startswith("file:") else "/".join(url.split("/")[:3]) + "/"
        visit = stack.enter_context(listening(context.new_page(), place))
        visit.page.goto(url, wait_until="load")
        return visit

    yield open_page
    stack.close()
    for context in contexts:
        context.close()


def is_page(path: Path) -> bool:
    """Whether a reader stays there: Jupyter Book's index.html only points on."""
    return "_static" not in path.parts and 'http-equiv="Refresh"' not in path.read_text(encoding="utf8")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``book_page`` runs over every page of the built book."""
    if "book_page" in metafunc.fixturenames:
        pages = sorted(str(path.relative_to(BOOK)) for path in BOOK.rglob("*.html") if is_page(path))
        metafunc.parametrize("book_page", pages or ["no book"])


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Weights of the pages that were opened, and of the whole site."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    weights = {
        report.nodeid.partition("[")[2].rstrip("]"): value
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == "page_weight"
    }
    if not weights:
        return
    terminalreporter.section("page weights, KB: the page's own files, and with all that it loads")
    for page, (total, own) in sorted(weights.items(), key=lambda item: -item[1][1]):
        terminalreporter.line(f"{own / 1e3:8.0f} {total / 1e3:8.0f}  {page}")
    site = sum(path.stat().st_size for path in BOOK.rglob("*") if path.is_file())
    terminalreporter.line(f"{site / 1e6:8.1f} MB the whole site")
