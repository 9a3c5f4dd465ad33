"""The pictures of the appendices show what they say they show."""

from collections.abc import Iterator

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from figures import power_family, principal_axes, whitening_variants
from gem_lite.seeds import stream


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.mark.parametrize("name", whitening_variants.VARIANTS)
def test_every_variant_whitens(name: str) -> None:
    rows = stream("test variants").normal(size=(50, 4))
    covariance = rows.T @ rows / len(rows)
    matrix = whitening_variants.VARIANTS[name](covariance)
    np.testing.assert_allclose(matrix @ covariance @ matrix.T, np.eye(4), atol=1e-12)


def test_each_variant_has_its_own_form() -> None:
    covariance = np.array([[4.0, 1.0], [1.0, 2.0]])
    symmetric = whitening_variants.zca(covariance)
    np.testing.assert_allclose(symmetric, symmetric.T)
    assert whitening_variants.cholesky(covariance)[0, 1] == 0
    rows = whitening_variants.pca(covariance)
    variances = [row @ covariance @ row / (row @ row) for row in rows]
    assert variances == pytest.approx(sorted(np.linalg.eigvalsh(covariance), reverse=True))


def test_drawn_points_are_those_whitened() -> None:
    points = whitening_variants.example(40)
    axes = whitening_variants.draw(points).axes
    assert [ax.get_title() for ax in axes] == ["points", *whitening_variants.VARIANTS]
    for ax in axes[1:]:
        drawn = np.asarray(ax.collections[0].get_offsets())
        np.testing.assert_allclose(drawn.T @ drawn / len(drawn), np.eye(2), atol=1e-9)


def test_named_means_by_hand() -> None:
    values = np.array([1.0, 4.0])
    found = {name: power_family.power_mean(values, p) for name, p in power_family.NAMED.items()}
    expected = {"harmonic": 1.6, "geometric": 2.0, "arithmetic": 2.5, "quadratic": np.sqrt(8.5)}
    assert found == pytest.approx(expected)
    assert power_family.power_mean(values, 1e-9) == pytest.approx(2.0)
    assert power_family.power_mean(values, 500.0) == pytest.approx(4.0, rel=2e-3)
    assert power_family.power_mean(values, -500.0) == pytest.approx(1.0, rel=2e-3)


def test_curve_lies_between_minimum_and_maximum() -> None:
    curve = power_family.draw().axes[0].lines[0].get_ydata()
    assert (np.diff(np.asarray(curve, dtype=float)) > 0).all()
    assert power_family.EXAMPLE.min() <= min(curve) < max(curve) <= power_family.EXAMPLE.max()


def test_most_variance_is_least_error_at_the_principal_direction() -> None:
    points = whitening_variants.example(60)
    axes = principal_axes.draw(points).axes[1]
    degrees, along = (np.asarray(data) for data in axes.lines[0].get_data())
    error = np.asarray(axes.lines[1].get_ydata())
    variances, directions = np.linalg.eigh(points.T @ points / len(points))
    angle = np.rad2deg(np.arctan2(directions[1, -1], directions[0, -1])) % 180
    assert abs(degrees[along.argmax()] - angle) <= 0.5
    assert along.max() == pytest.approx(variances[-1], rel=1e-3)
    np.testing.assert_allclose(along + error, variances.sum())
