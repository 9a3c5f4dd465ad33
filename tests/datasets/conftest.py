"""A server that misbehaves, and a data folder of each test's own."""

import os
import subprocess
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


@pytest.fixture
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A disk of the size that the test's parameter names, for example "120k"; only root may mount one."""
    if os.getuid() != 0:
        pytest.skip("a small disk is mounted, which only root may do")
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={request.param}", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine does not allow mounting")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
