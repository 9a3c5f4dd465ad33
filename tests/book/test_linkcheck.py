"""The links of the book: one that leads nowhere is named with its place."""

import http.server
import threading
from collections.abc import Iterator

import pytest
from minibook import MiniBook

from book.builder import interrupts, linkcheck
from book.builder.linkcheck import described, main


class OnePage(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/here" else 404)
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OnePage)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()


@pytest.mark.slow
def test_a_dead_link_is_named(
    mini: MiniBook, server: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interrupts, "listen", lambda: None)
    staged = mini.root / "_build" / "src"
    staged.mkdir(parents=True)
    (staged / "_toc.yml").write_text("format: jb-book\nroot: intro\n")
    (staged / "references.bib").write_text("")
    for path, code in (("/here", 0), ("/gone", 1)):
        (staged / "intro.md").write_text(f"# Intro\n\nA [link]({server}{path}).\n")
        assert main(["--root", str(mini.root)]) == code
        said = capsys.readouterr().out
        assert (f"intro.md, line 3: {server}/gone: 404" in said) == (code == 1), said
    assert "1 broken" in said


def test_bad_links_come_first_and_all_are_counted() -> None:
    link = {"filename": "a.md", "lineno": 3, "uri": "http://x", "info": "404", "status": "broken"}
    others = [{**link, "status": "working"}] * 2 + [{**link, "status": "timeout", "info": ""}]
    assert described([*others, link]).splitlines() == [
        "a.md, line 3: http://x: timeout",
        "a.md, line 3: http://x: 404",
        "1 broken, 1 timeout, 2 working",
    ]


def test_without_pages_it_says_what_to_do(
    mini: MiniBook, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linkcheck.interrupts, "listen", lambda: None)
    assert main(["--root", str(mini.root)]) == 1
    assert "run make book first" in capsys.readouterr().err
