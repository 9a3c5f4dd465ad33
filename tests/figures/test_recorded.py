"""What `make ablations` recorded is shown as it stands in the file."""

import json
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pytest

from figures import recorded


@pytest.fixture
def record() -> dict[str, Any]:
    """A record with two differences, one settled and one not, and one value for every head."""
    ap = {"mean": 30.0, "sd": 1.0, "each": [29.0, 31.0], "low": 28.0, "high": 32.0}
    head = {f"{world}/{name}/raw": ap for world in ("town", "bare") for name in ("mac", "spoc", "gem")}
    return {
        "recorded": {
            "profile": "lite",
            "seeds": [0, 1],
            "finished": "2026-11-28T15:00:00+00:00",
            "commit": "abc1234",
            "versions": {"torch": "2.15.0"},
            "hardware": {"processor": "a processor", "cores": 2},
        },
        "differences": {
            "settled": {"mean": 2.0, "sd": 0.5, "each": [1.6, 2.4], "low": 1.0, "high": 3.0},
            "open": {"mean": -1.0, "sd": 2.0, "each": [-2.4, 0.4], "low": -3.0, "high": 1.0},
        },
        "heads": {"mean": head, "gem": head, "max": head},
    }


def test_a_missing_record_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make ablations"):
        recorded.read(tmp_path / "none.json")


def test_reading_gives_what_is_in_the_file(tmp_path: Path, record: dict[str, Any]) -> None:
    path = tmp_path / "record.json"
    path.write_text(json.dumps(record))
    assert recorded.read(path) == record


def test_circumstances_say_when_on_what_and_with_what(record: dict[str, Any]) -> None:
    told = recorded.circumstances(record)
    for part in ("lite", "0, 1", "2026-11-28", "a processor", "2.15.0", "abc1234"):
        assert part in told


def test_differences_stand_where_the_record_says(record: dict[str, Any]) -> None:
    figure = recorded.draw_differences(record, ["settled", "open"])
    (ax,) = figure.axes
    lines = [line for line in ax.lines if line.get_marker() in ("o", "s")]
    assert [(line.get_marker(), line.get_xdata()[0]) for line in lines] == [("o", 2.0), ("s", -1.0)]
    strokes = [list(line.get_xdata()) for line in ax.lines if line.get_marker() == "|"]
    assert strokes == [[1.6, 2.4], [-2.4, 0.4]]
    assert recorded.difference(record, "settled").excludes_zero
    assert not recorded.difference(record, "open").excludes_zero
    plt.close(figure)


def test_heads_have_a_mark_for_every_pooling_head_and_world(record: dict[str, Any]) -> None:
    figure = recorded.draw_heads(record)
    marks = [line for ax in figure.axes for line in ax.lines if line.get_marker() in "os^"]
    assert len(marks) == 2 * 3 * 3
    assert {line.get_ydata()[0] for line in marks} == {30.0}
    plt.close(figure)
