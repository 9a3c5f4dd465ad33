"""Makes ``book.builder`` importable: it is a tool of the checkout, not a part of the installed package."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from minibook import MiniBook


@pytest.fixture
def mini(tmp_path: Path) -> MiniBook:
    """An empty small book."""
    return MiniBook(tmp_path)
