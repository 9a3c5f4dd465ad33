"""The built book, and pages of our own, in a real Chromium that reaches nothing but this machine.

Without a browser, or without a built book, these tests are skipped with a reason; where CI=true they fail.
"""

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
BOOK = Path(os.environ.get("GEM_LITE_BOOK", ROOT / "_build" / "html"))
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # Every name but this machine's is unknown to the browser: it behaves as without a network.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


def missing(reason: str) -> NoReturn:
    """Skips the test; fails it where CI=true, so that a green run means that it ran."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium; ``$CHROMIUM`` names another one."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if path is None:
        missing("no Chromium on this machine: install the package `chromium`, or name a browser in $CHROMIUM")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def built_book() -> Path:
    """Folder of the built book."""
    if not (BOOK / "index.html").is_file():
        missing(f"no built book at {BOOK}: run `make book` first")
    return BOOK


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files without a line on the terminal for each of them."""

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Address of a web server for this folder, on this machine only."""
    handler = functools.partial(QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def book_address(built_book: Path) -> Iterator[str]:
    """The built book over http."""
    with served(built_book) as address:
        yield address


@dataclass
class Visit:
    """An open page, and everything that went wrong on it."""

    page: Page
    allowed: tuple[str, ...]
    foreign: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """From now on requests and console messages are written down."""
        self.page.on("request", lambda request: self._note_foreign(request.url))
        self.page.on("requestfailed", lambda request: self.failed.append(f"{request.url}: {request.failure}"))
        self.page.on("response", lambda answer: self._note_status(answer.url, answer.status))
        self.page.on("console", lambda line: line.type == "error" and self.console.append(line.text))
        self.page.on("pageerror", lambda error: self.console.append(str(error)))

    def _note_foreign(self, url: str) -> None:
        if not url.startswith((*self.allowed, "data:", "blob:")):
            self.foreign.append(url)

    def _note_status(self, url: str, status: int) -> None:
        if status >= 400:
            self.failed.append(f"{url}: {status}")

    def assert_clean(self) -> None:
        """No request left this place, none failed, and the console holds no error."""
        assert not self.foreign, f"asked for files elsewhere: {self.foreign}"
        assert not self.failed, f"files missing: {self.failed}"
        assert not self.console, f"errors in the console: {self.console}"


Visitor = Callable[..., Visit]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visitor]:
    """``visit(url, scheme="light", width=1200, **context)`` opens a page in a fresh profile."""
    contexts: list[BrowserContext] = []

    def open_page(url: str, scheme: str = "light", width: int = 1200, **options: Any) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", **options
        )
        contexts.append(context)
        place = "file://" if url.startswith("file:") else "/".join(url.split("/")[:3]) + "/"
        visit = Visit(context.new_page(), (place,))
        visit.listen()
        visit.page.goto(url, wait_until="load")
        return visit

    yield open_page
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
