"""Networks trained at a fixed p: each is drawn and counted under its own exponent."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from figures import fixed_exponents
from figures.contributions import contribution_map, effective_positions
from figures.feature_maps import maps_of
from gem_lite import toytown
from gem_lite.network import build_network


def test_a_network_is_counted_under_its_own_exponent() -> None:
    picture = toytown.load("tiny", 0, "val").images[0]
    found = []
    for p in (1.0, 10.0):
        net = build_network("compact", "gem", p=p, seed=0)
        shares, percent = fixed_exponents.own_contributions(net, picture)
        expected = contribution_map(maps_of(net, picture), p)
        np.testing.assert_allclose(shares, expected)
        assert percent == pytest.approx(100 * effective_positions(expected).item() / expected.numel())
        found.append(percent)
    assert found[0] > found[1]


def test_queries_are_the_first_of_their_landmarks() -> None:
    landmarks = np.array([5, 5, 7, 7, 9])
    assert fixed_exponents.first_queries(landmarks, np.array([1, 0, 2, 4]), count=2) == [1, 2]


def test_the_figure_has_a_picture_and_a_map_for_every_network() -> None:
    val = toytown.load("tiny", 0, "val")
    nets = {f"p = {p:g}": build_network("compact", "gem", p=p, seed=0) for p in (1.0, 10.0)}
    figure = fixed_exponents.draw(nets, val, [0, 5], size=64)
    assert len(figure.axes) == 2 * 3
    assert [ax.get_title() for ax in figure.axes[:3]] == ["", "p = 1", "p = 10"]
    plt.close(figure)
