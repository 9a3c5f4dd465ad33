"""Drawn descriptors: the moments they are drawn from, and the same rows however they are asked for."""

import numpy as np
import pytest

from gem_lite.drawn import BLOCK, Drawn, Moments, moments
from gem_lite.seeds import stream


def source() -> Moments:
    rng = stream("test-drawn")
    centres = rng.normal([6, 0, 0, 1, 2, 3], size=(40, 6))
    clusters = np.repeat(np.arange(40), 5)
    return moments(centres[clusters] + 0.3 * rng.normal(size=(200, 6)), clusters)


def test_the_two_covariances_add_up_to_the_total() -> None:
    x = stream("test-moments").normal(size=(60, 4))
    found = moments(x, np.arange(60) % 7)
    np.testing.assert_allclose(found.mean, x.mean(axis=0))
    np.testing.assert_allclose(found.between + found.within, np.cov(x.T, bias=True), atol=1e-12)


def test_draws_have_the_moments_of_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Drawn, "_finished", lambda self, rows: rows)  # before they are scaled to length one
    given = source()
    drawn = Drawn(given, queries=400, positives=10)
    others = drawn.rows(4000, 24_000)
    np.testing.assert_allclose(others.mean(axis=0), given.mean, atol=0.05)
    np.testing.assert_allclose(np.cov(others.T), given.between + given.within, atol=0.1)
    positives = drawn.rows(0, 4000).reshape(400, 10, 6)
    views = positives - drawn._landmarks[:, None]
    np.testing.assert_allclose(np.cov(views.reshape(-1, 6).T), given.within, atol=0.02)
    np.testing.assert_allclose(np.cov(drawn._landmarks.T, bias=True), given.between, atol=0.35)


def test_rows_do_not_depend_on_how_they_are_asked_for() -> None:
    drawn = Drawn(source(), queries=5, positives=3)
    whole = drawn.rows(0, BLOCK + 20)
    assert whole.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(whole, axis=1), 1, atol=1e-6)
    assert np.array_equal(drawn.rows(BLOCK - 3, BLOCK + 4), whole[BLOCK - 3 : BLOCK + 4])
    assert not np.array_equal(Drawn(source(), queries=5, positives=3, seed=1).rows(0, 9), whole[:9])


def test_more_dimensions_change_no_inner_product() -> None:
    plain, turned = Drawn(source(), 8), Drawn(source(), 8, dimensions=50)
    assert turned.queries().shape == (8, 50)
    np.testing.assert_allclose(
        turned.queries() @ turned.rows(0, 100).T, plain.queries() @ plain.rows(0, 100).T, atol=1e-5
    )
    with pytest.raises(ValueError, match="6 dimensions cannot be rotated into 5"):
        Drawn(source(), dimensions=5)


def test_positives_are_the_nearest_where_views_differ_little() -> None:
    given = source()
    drawn = Drawn(Moments(given.mean, given.between, given.within / 1000), queries=6, positives=4)
    scores = drawn.queries() @ drawn.rows(0, 500).T
    for row, truth in zip(scores, drawn.ground_truth(), strict=True):
        assert set(np.argsort(-row)[:4]) == set(truth["easy"])
