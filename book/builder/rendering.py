"""Renders the staged book with Jupyter Book; every warning is an error."""

import hashlib
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat

from . import processes
from .chapters import LOCK
from .errors import BuildError
from .paths import Paths

CONFIG = "_config.yml"
JUPYTER_BOOK = "book.builder.jupyter_book"
KEY_FILE = ".key"
NOTEBOOK_LINE = re.compile(r"(?P<file>[\w.-]+\.ipynb):(?P<line>\d{5,}):")


def render(paths: Paths) -> bool:
    """Make ``_build/html`` from ``_build/src``; False when it was already what these files give.

    Always from nothing: an incremental build saves no time and keeps numbers that other pages have pasted.
    The book appears at its place only when it is whole.

    Raises:
        BuildError: for any warning of Jupyter Book, with its messages.
    """
    key = _key(paths)
    kept = paths.html / KEY_FILE
    if kept.is_file() and kept.read_text() == key:
        return False
    work = paths.build / "rendering"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        _jupyter_book(paths, work)
        made = work / "_build" / "html"
        (made / KEY_FILE).write_text(key)
        if paths.html.exists():
            paths.html.rename(work / "old")
        made.rename(paths.html)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return True


def _jupyter_book(paths: Paths, work: Path) -> None:
    config = paths.root / CONFIG
    log = work / "log.txt"
    command = [sys.executable, "-m", JUPYTER_BOOK, "build", str(paths.staged), "--config", str(config)]
    command += ["--path-output", str(work), "-W", "-n", "--keep-going"]
    process = processes.start(command, {**os.environ, "NO_COLOR": "1"}, paths.root, log)
    try:
        status = processes.wait(process)
    finally:
        processes.end_tree(process)
    if status:
        text = log.read_text(encoding="utf8", errors="replace")
        raise BuildError(f"Jupyter Book did not accept the pages:\n{_complaints(text, paths.staged) or text}")


def _complaints(log: str, staged: Path) -> str:
    """The lines of Sphinx's log that say what is wrong, with the author's cell numbers."""
    lines = [line for line in log.splitlines() if "WARNING:" in line or "ERROR:" in line]
    named = [NOTEBOOK_LINE.sub(lambda match: _place(staged, match), line) for line in lines]
    return "\n".join(dict.fromkeys(line.replace(f"{staged}{os.sep}", "") for line in named))


def _place(staged: Path, match: re.Match[str]) -> str:
    """MyST-NB writes line 3 of the eighth cell as 80003; papermill's own cell is none of the author's."""
    cell, line = divmod(int(match["line"]), 10_000)
    cells = nbformat.read(staged / match["file"], as_version=4).cells
    own = [c for c in cells[:cell] if "injected-parameters" not in c.metadata.get("tags", [])]
    return f"{match['file']}, cell {len(own)}, line {line}:"


def _key(paths: Paths) -> str:
    """Hash of all that decides what the pages look like: staged files, configuration, extension, lock."""
    digest = hashlib.sha256()
    for path in _inputs(paths):
        digest.update(path.relative_to(paths.root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _inputs(paths: Paths) -> Iterator[Path]:
    fixed = [paths.root / CONFIG, paths.root / LOCK, *(paths.book / "builder").glob("*.py")]
    yield from sorted(path for path in fixed if path.is_file())
    yield from sorted(path for path in paths.staged.rglob("*") if path.is_file())
