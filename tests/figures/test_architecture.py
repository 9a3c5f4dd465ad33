"""The drawing of the architecture: says what it must, computes what it claims, writes the same file twice."""

import subprocess
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from figures import architecture, style


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def words(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.axes[0].texts)


def test_training_drawing_names_every_stage() -> None:
    text = words(architecture.draw())
    for stage in (
        "photograph",
        "convolutions",
        "feature maps",
        "GeM",
        "length 1",
        "contrastive loss",
        "same weights",
    ):
        assert stage in text


def test_search_drawing_has_one_branch_and_no_loss() -> None:
    training, search = architecture.draw(), architecture.draw(training=False)
    assert "loss" not in words(search)
    assert words(training).count("GeM") == 2
    assert words(search).count("GeM") == 1


def test_second_vector_shows_the_normalised_generalised_mean_of_the_drawn_maps() -> None:
    axes = architecture.draw(training=False).axes[0]
    maps = np.array([np.asarray(image.get_array()) for image in axes.images])[::-1]  # drawn back to front
    pooled = np.cbrt((maps**3).mean(axis=(1, 2)))
    expected = plt.get_cmap("inferno")(pooled / np.linalg.norm(pooled) / architecture.BRIGHTEST)
    drawn = {tuple(np.round(patch.get_facecolor(), 5)) for patch in axes.patches}
    assert {tuple(np.round(colour, 5)) for colour in expected} <= drawn


def test_nothing_is_drawn_outside_the_picture() -> None:
    style.use()
    for training in (True, False):
        figure = architecture.draw(training)
        axes = figure.axes[0]
        figure.canvas.draw()
        inside = axes.get_window_extent().padded(1)
        for text in axes.texts:
            box = text.get_window_extent()
            assert min(box.x0 - inside.x0, inside.x1 - box.x1) >= 0, text.get_text()
            assert min(box.y0 - inside.y0, inside.y1 - box.y1) >= 0, text.get_text()


@pytest.mark.slow
def test_command_line_writes_the_same_svg_every_time(tmp_path: Path, root: Path) -> None:
    files = [tmp_path / "first.svg", tmp_path / "sub" / "second.svg"]
    for file in files:
        subprocess.run([sys.executable, "-m", "figures.architecture", file], check=True, cwd=root)
    first, second = (file.read_bytes() for file in files)
    assert first == second
    assert b"<svg" in first
    assert first.count(b"<path") > 100  # a drawing, not one embedded bitmap


def test_unknown_suffix_is_named_with_those_that_work(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"figure\.docx.*svg"):
        style.save(architecture.draw(), tmp_path / "figure.docx")


def test_style_is_opaque_and_colour_blind_safe() -> None:
    with plt.rc_context():
        style.use()
        assert to_rgba(plt.rcParams["savefig.facecolor"]) == (1, 1, 1, 1)
        cycle = [to_rgba(colour) for colour in plt.rcParams["axes.prop_cycle"].by_key()["color"]]
        assert {to_rgba(c) for c in (style.BLUE, style.VERMILION, style.GREEN)} <= set(cycle)
        assert plt.rcParams["image.cmap"] == "cividis"
