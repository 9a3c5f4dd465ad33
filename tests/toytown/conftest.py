"""A cache that lasts as long as this folder's tests, and the tiny splits rendered in it."""

import pytest

from gem_lite import toytown
from gem_lite.toytown.held_out import TestSet, load_test


@pytest.fixture(scope="package", autouse=True)
def _shared_cache(tmp_path_factory: pytest.TempPathFactory):
    patch = pytest.MonkeyPatch()
    patch.setenv("GEM_LITE_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield
    patch.undo()


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    """A cache of this test alone."""
    monkeypatch.setenv("GEM_LITE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="package")
def val() -> toytown.ImageSet:
    return toytown.load("tiny", 0, "val", workers=1)


@pytest.fixture(scope="package")
def train() -> toytown.ImageSet:
    return toytown.load("tiny", 0, "train", workers=1)


@pytest.fixture(scope="package")
def backdrop() -> toytown.ImageSet:
    return toytown.load("tiny", 0, "backdrop", workers=1)


@pytest.fixture(scope="package")
def test_set() -> TestSet:
    return load_test("tiny", 0, workers=1)
