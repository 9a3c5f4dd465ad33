"""Content decides what is computed again; a killed process leaves nothing behind."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from gem_lite import cache


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GEM_LITE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_imports_are_found_wherever_they_stand() -> None:
    source = "import gem_lite.seeds, numpy\ndef f():\n    from gem_lite.pooling import gem\nfrom . import a\n"
    assert cache.imported_names(source, "gem_lite.toytown") == {
        "gem_lite.seeds",
        "gem_lite.pooling",
        "gem_lite.pooling.gem",
        "gem_lite.toytown",
        "gem_lite.toytown.a",
    }


def test_relative_imports_climb() -> None:
    assert "gem_lite.seeds" in cache.imported_names("from ..seeds import stream", "gem_lite.toytown")


def package(folder: Path, name: str, **modules: str) -> None:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("")
    for module, text in modules.items():
        (folder / name / f"{module}.py").write_text(text)


def test_closure_follows_imports_and_stops_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package(tmp_path, "toy", top="from toy.middle import f", middle="import toy.bottom", bottom="", other="")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(cache, "OWN_PACKAGES", ("toy",))
    names = [path.name for path in cache.source_closure(["toy.top"])]
    assert sorted(names) == ["__init__.py", "bottom.py", "middle.py", "top.py"]


def test_settings_and_source_decide_the_path(own_cache: Path) -> None:
    first = cache.artefact_path("x", {"a": 1}, ["gem_lite.seeds"], ".npz")
    assert first == cache.artefact_path("x", {"a": 1}, ["gem_lite.seeds"], ".npz")
    assert first != cache.artefact_path("x", {"a": 2}, ["gem_lite.seeds"], ".npz")
    assert first != cache.artefact_path("x", {"a": 1}, ["gem_lite.profiles"], ".npz")
    assert first.parent == own_cache


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "result.txt"
    with cache.written_atomically(path) as temporary:
        temporary.write_text("good")

    def interrupted() -> None:
        with cache.written_atomically(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "good"
    assert list(path.parent.iterdir()) == [path]


def test_a_second_process_waits_for_the_first(tmp_path: Path) -> None:
    path = tmp_path / "made.txt"
    code = (
        "import sys, time, pathlib\nfrom gem_lite.cache import locked\npath = pathlib.Path(sys.argv[1])\n"
        "with locked(path):\n"
        "    seen = path.exists()\n    time.sleep(.5)\n    path.write_text('x')\nprint(seen)"
    )
    started = time.monotonic()
    command = [sys.executable, "-c", code, str(path)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = sorted(process.communicate()[0].strip() for process in both)
    assert answers == ["False", "True"]
    assert time.monotonic() - started >= 1.0


def test_packages_are_counted_and_their_conveniences_are_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "toy2", wanted="", convenience="")
    (tmp_path / "toy2" / "__init__.py").write_text("from toy2.convenience import f")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(cache, "OWN_PACKAGES", ("toy2",))
    assert [path.name for path in cache.source_closure(["toy2.wanted"])] == ["__init__.py", "wanted.py"]
    names = [path.name for path in cache.source_closure(["toy2"])]
    assert names == ["__init__.py", "convenience.py"]
