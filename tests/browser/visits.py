"""An open page and all that happened on it; a web server on this machine."""

import functools
import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Page

PATIENCE = 120_000  # milliseconds: on a busy machine a page is slow, not broken


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


@dataclass
class Visit:
    """An open page, and everything that went wrong on it."""

    page: Page
    allowed: tuple[str, ...]
    asked: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)

    def listeners(self) -> dict[str, Callable[..., Any]]:
        """What writes down requests and console messages, by the page's events."""
        return {
            "request": lambda request: self._note_request(request.url),
            "requestfailed": lambda request: self.failed.append(f"{request.url}: {request.failure}"),
            "response": lambda answer: self._note_status(answer.url, answer.status),
            "console": lambda line: line.type == "error" and self.console.append(line.text),
            "pageerror": lambda error: self.console.append(str(error)),
        }

    def _note_request(self, url: str) -> None:
        self.asked.append(url)
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

    def weight(self, folder: Path) -> tuple[int, int]:
        """Bytes of all files of the folder that the page asked for, and of those that it alone does."""
        files = {unquote(urlsplit(url).path) for url in self.asked if url.startswith("file:")}
        sizes = {file: Path(file).stat().st_size for file in files if Path(file).is_relative_to(folder)}
        own = sum(
            size
            for file, size in sizes.items()
            if "/_static/" not in file and not file.endswith("/searchindex.js")
        )
        return sum(sizes.values()), own


@contextmanager
def listening(page: Page, *allowed: str) -> Iterator[Visit]:
    """Writes down what happens on a page that goes on living; ``allowed`` are beginnings of addresses."""
    visit = Visit(page, allowed)
    listeners = visit.listeners()
    for event, listener in listeners.items():
        page.on(event, listener)  # type: ignore[call-overload]
    try:
        yield visit
    finally:
        for event, listener in listeners.items():
            page.remove_listener(event, listener)
