"""Every test of a figure starts from matplotlib's own style, whatever a test before it has set for good."""

from collections.abc import Iterator

import matplotlib as mpl
import pytest


@pytest.fixture(autouse=True)
def _own_style() -> Iterator[None]:
    with mpl.rc_context():
        mpl.rcdefaults()
        yield
