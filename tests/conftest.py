"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A deadline would be a timed assertion: it fails when the machine is busy, not when the code is wrong.
settings.register_profile("gem_lite", deadline=None)
settings.load_profile("gem_lite")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def golden() -> Path:
    """Numbers made by the reference implementation; see tests/golden/README.md."""
    return ROOT / "tests" / "golden"


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Real photographs, weights and ground truths; never part of the repository."""
    folder = Path(os.environ.get("GEM_LITE_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no test data at {folder}: set GEM_LITE_TEST_DATA to the folder of photos/ and gnd/")
    return folder
