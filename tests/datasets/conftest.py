"""A server that misbehaves, and a data folder of each test's own."""

from collections.abc import Iterator
from pathlib import Path

import flaky_server
import pytest


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[flaky_server.Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with flaky_server.serving() as running:
        yield running


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder."""
    monkeypatch.setenv("GEM_LITE_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("GEM_LITE_SOURCES", raising=False)
    return tmp_path / "data"
