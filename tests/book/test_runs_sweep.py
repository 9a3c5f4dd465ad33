"""What a sweep makes of its runs' results: table, page, plot."""

import csv
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pytest

from book.builder.errors import BuildError
from book.runs.executing import Outcome
from book.runs.plots import MARKERS, draw
from book.runs.results import Sweep
from book.runs.tables import markdown, write_csv
from figures import style
from gem_lite.report import Record


def outcome(p: float, seed: int, pooling: str = "gem") -> Outcome:
    reports = {
        "seconds_used": Record(p * seed, "s"),
        "map_gem": Record(10 * p + seed + (5 if pooling == "mac" else 0), "%", True),
        "map_spoc": Record(50.0 + seed, "%", True),
        "images": Record(80),
        "verdict": Record("yes" if p > 1 else "no"),
        "p": Record(p),
    }
    parameters = {"profile": "tiny", "seed": seed, "p": p, "pooling": pooling}
    return Outcome(parameters, Path(f"/runs/{p}-{seed}/01_a.ipynb"), reports, 2.0)


def failed(p: float, seed: int) -> Outcome:
    parameters = {"profile": "tiny", "seed": seed, "p": p, "pooling": "gem"}
    return Outcome(parameters, Path("/runs/failed/01_a.ipynb"), {}, 0.0, "01_a failed in cell 3")


@pytest.fixture
def sweep() -> Sweep:
    return Sweep(("p", "seed"), tuple(outcome(p, seed) for p in (1.0, 2.0, 10.0) for seed in (0, 1, 2)))


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_csv_has_a_row_for_every_run(sweep: Sweep, tmp_path: Path) -> None:
    write_csv(Sweep(sweep.swept, (*sweep.outcomes, failed(99.0, 0))), tmp_path / "sweep.csv")
    rows = list(csv.DictReader((tmp_path / "sweep.csv").open()))
    assert len(rows) == 10
    assert rows[4] | {"run_notebook": ""} == {
        "p": "2.0",
        "seed": "1",
        "seconds_used": "2.0",
        "map_gem": "21.0",
        "map_spoc": "51.0",
        "images": "80",
        "verdict": "yes",
        "run_seconds": "2.0",
        "run_state": "done",
        "run_notebook": "",
    }
    assert (tmp_path / rows[4]["run_notebook"]).resolve() == Path("/runs/2.0-1/01_a.ipynb")
    assert (rows[-1]["p"], rows[-1]["map_gem"], rows[-1]["run_state"]) == ("99.0", "", "failed")


def test_page_has_means_over_the_seeds_and_says_what_stood_still(sweep: Sweep) -> None:
    page = markdown(Sweep(sweep.swept, (*sweep.outcomes, failed(99.0, 0))), "Title", "sweep.svg")
    assert "| result | unit | p = 1 | p = 2 | p = 10 |" in page
    assert "| `map_gem` | % | 11 ± 1 | 21 ± 1 | 101 ± 1 |" in page
    assert "| `verdict` |  | no | yes | yes |" in page
    assert "The same in all runs: images." in page
    assert "10 runs, 1 of them failed; mean ± standard deviation over the seeds 0, 1, 2." in page
    assert "## Failed: p = 99, seed = 0" in page
    assert "01_a failed in cell 3" in page


def test_a_sweep_over_seeds_alone_has_them_as_columns() -> None:
    page = markdown(Sweep(("seed",), (outcome(1.0, 0), outcome(1.0, 1))), "Title", None)
    assert "| `map_spoc` | % | 50 | 51 |" in page
    assert "±" not in page


def test_drawn_is_what_the_axis_moves_and_first_what_can_be_better(sweep: Sweep) -> None:
    assert sweep.moving() == ["seconds_used", "map_gem", "map_spoc", "verdict"]
    assert sweep.chosen([]) == ["map_gem", "seconds_used"]
    assert sweep.chosen(["map_*"]) == ["map_gem", "map_spoc"]
    with pytest.raises(BuildError, match=r"no result fits 'verd\*'; .*: seconds_used, map_gem"):
        sweep.chosen(["verd*"])


def test_plot_goes_through_the_means(sweep: Sweep) -> None:
    figure = draw(sweep, ["map_gem", "map_spoc"])
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["map_gem", "map_spoc"]
    line = next(line for line in figure.axes[0].lines if line.get_marker() == MARKERS[0])
    assert line.get_xydata().tolist() == [[1, 11], [2, 21], [10, 101]]
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "."]
    assert [dot.get_ydata().tolist() for dot in dots][1] == [20, 21, 22]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["1", "2", "10"]


def test_lines_differ_in_marker_not_only_in_colour(tmp_path: Path) -> None:
    outcomes = tuple(outcome(p, 0, pooling) for p in (1.0, 2.0) for pooling in ("gem", "mac"))
    figure = draw(Sweep(("p", "pooling"), outcomes), ["map_gem"])
    lines = figure.axes[0].lines
    assert [line.get_label() for line in lines] == ["pooling = gem", "pooling = mac"]
    assert len({line.get_marker() for line in lines}) == len({line.get_color() for line in lines}) == 2
    assert {text.get_text() for text in figure.legends[0].texts} == {"pooling = gem", "pooling = mac"}
    style.save(figure, tmp_path / "sweep.svg")
    assert ET.parse(tmp_path / "sweep.svg").getroot().tag.endswith("svg")


def test_words_stand_side_by_side_and_wide_ranges_on_a_logarithmic_axis() -> None:
    words = Sweep(("pooling",), (outcome(1.0, 0, "gem"), outcome(1.0, 0, "mac")))
    labels = draw(words, ["map_gem"]).axes[0].get_xticklabels()
    assert [label.get_text() for label in labels] == ["gem", "mac"]
    wide = Sweep(("p",), tuple(outcome(p, 0) for p in (1.0, 10.0, 100.0)))
    assert draw(wide, ["map_gem"]).axes[0].get_xscale() == "log"
