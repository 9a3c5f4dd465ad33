"""Makes ``book.builder`` importable: it is a tool of the checkout, not a part of the installed package."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
