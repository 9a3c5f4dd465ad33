"""Whitening against the reference, transcriptions of both forms, and where little can be learned."""

import warnings

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from gem_lite import scatter
from gem_lite.scatter import ledoit_wolf, scatter_of_differences
from gem_lite.whitening import LearnedWhitening, PCAWhitening


def same_signs(found, expected):
    """`found` (rows are components) with each component's sign that of `expected`: signs are free."""
    return found * np.sign((found * expected).sum(axis=1))[:, None]


def clustered(rows=300, dimensions=12, clusters=20, seed=0, dtype=np.float64):
    """Descriptors of clusters, with different noise along each axis; rows and labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(clusters, size=rows)
    noise = rng.normal(size=(rows, dimensions)) * np.linspace(0.1, 1, dimensions)
    x = 0.2 + rng.normal(size=(clusters, dimensions))[labels] + noise
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(dtype), labels


def pairs_of(labels):
    """All matching pairs by the definition: i < j of one label."""
    pairs = [(i, j) for i in range(len(labels)) for j in range(i + 1, len(labels)) if labels[i] == labels[j]]
    return tuple(np.array(pairs).T)


# --- equal to the reference and to the definitions


def test_learned_whitening_is_that_of_the_reference(golden):
    numbers = np.load(golden / "reference.npz")
    x = numbers["whiten_X"]
    whitening = LearnedWhitening().fit(x, pairs=(numbers["whiten_q"], numbers["whiten_p"]))
    assert whitening.shrinkage_ == 0
    np.testing.assert_allclose(whitening.mean_, numbers["lw_m"], rtol=1e-9)
    expected = numbers["lw_P"]
    np.testing.assert_allclose(
        same_signs(whitening.components_, expected), expected, atol=1e-6 * np.abs(expected).max()
    )
    # The reference adds 1e-6 to the norm it divides by, hence not closer.
    found = same_signs(whitening.transform(x).T, numbers["lw_apply"].T).T
    np.testing.assert_allclose(found, numbers["lw_apply"], atol=1e-6)


def test_fewer_components_are_the_first_ones_of_the_reference(golden):
    numbers = np.load(golden / "reference.npz")
    x = numbers["whiten_X"]
    whitening = LearnedWhitening(8).fit(x, pairs=(numbers["whiten_q"], numbers["whiten_p"]))
    expected = numbers["lw_apply_d8"]
    np.testing.assert_allclose(same_signs(whitening.transform(x).T, expected.T).T, expected, atol=1e-6)


def test_pca_whitening_is_that_of_the_reference(golden):
    numbers = np.load(golden / "reference.npz")
    x, expected = numbers["whiten_X"], numbers["pcaw_P"]
    whitening = PCAWhitening().fit(x)
    np.testing.assert_allclose(whitening.mean_, numbers["pcaw_m"], rtol=1e-9)
    np.testing.assert_allclose(
        same_signs(whitening.components_, expected), expected, atol=1e-6 * np.abs(expected).max()
    )
    found = same_signs(whitening.transform(x).T, numbers["pcaw_apply"].T).T
    np.testing.assert_allclose(found, numbers["pcaw_apply"], atol=1e-6)


def reference_transcription(x, first, second):
    """The reference's two steps: a Cholesky factor of C_S, then PCA of what it whitens."""
    difference = x[first] - x[second]
    within = difference.T @ difference / len(first)
    centred = x - x[first].mean(axis=0)
    whiten = np.linalg.inv(np.linalg.cholesky(within))
    values, vectors = np.linalg.eigh(whiten @ centred.T @ centred @ whiten.T)
    return vectors[:, np.argsort(-values)].T @ whiten


def paper_transcription(x, labels):
    """The paper's formula with C_D over non-matching pairs, pair by pair."""
    matching = nonmatching = 0
    for i in range(len(x)):
        for j in range(i + 1, len(x)):
            outer = np.outer(x[i] - x[j], x[i] - x[j])
            if labels[i] == labels[j]:
                matching = matching + outer
            else:
                nonmatching = nonmatching + outer
    root = np.real(scipy.linalg.inv(scipy.linalg.sqrtm(matching)))
    values, vectors = np.linalg.eigh(root @ nonmatching @ root)
    return (root @ vectors[:, np.argsort(-values)]).T


def unit(components):
    return components / np.linalg.norm(components, axis=1, keepdims=True)


@given(seed=st.integers(0, 1000))
def test_reference_form_is_cholesky_then_pca(seed):
    x, labels = clustered(seed=seed)
    pairs = pairs_of(labels)
    expected = reference_transcription(x, *pairs)
    for whitening in (LearnedWhitening().fit(x, pairs=pairs), LearnedWhitening().fit(x, labels)):
        found = same_signs(whitening.components_, expected)
        np.testing.assert_allclose(found, expected, atol=1e-6 * np.abs(expected).max())


def test_paper_form_is_the_papers_formula_and_not_the_references():
    x, labels = clustered(rows=120)
    expected = unit(paper_transcription(x, labels))
    paper = LearnedWhitening(form="paper").fit(x, labels)
    np.testing.assert_allclose(same_signs(unit(paper.components_), expected), expected, atol=1e-6)
    np.testing.assert_allclose(paper.mean_, x.mean(axis=0))
    reference = LearnedWhitening().fit(x, labels)
    difference = np.abs(same_signs(unit(reference.components_), expected) - expected).max()
    assert difference > 1e-3  # close, never equal


def test_nonmatching_pairs_may_be_listed():
    x, labels = clustered(rows=80)
    i, j = np.triu_indices(80, k=1)
    other = labels[i] != labels[j]
    listed = LearnedWhitening(form="paper").fit(x, pairs=pairs_of(labels), nonmatching=(i[other], j[other]))
    from_labels = LearnedWhitening(form="paper").fit(x, labels)
    expected = from_labels.components_
    np.testing.assert_allclose(same_signs(listed.components_, expected), expected, atol=1e-8)


def test_pairs_are_whitened_and_descriptors_decorrelated():
    x, labels = clustered()
    first, second = pairs_of(labels)
    whitening = LearnedWhitening().fit(x, labels)
    p = whitening.components_
    difference = (x[first] - x[second]) @ p.T
    np.testing.assert_allclose(difference.T @ difference / len(first), np.eye(12), atol=1e-10)
    centred = (x - whitening.mean_) @ p.T
    np.testing.assert_allclose(centred.T @ centred / len(x), np.diag(whitening.gains_), atol=1e-10)
    assert (np.diff(whitening.gains_) <= 0).all()
    assert whitening.n_pairs_ == len(first)


def test_pca_gives_unit_variance_in_falling_order():
    x, _ = clustered()
    whitening = PCAWhitening().fit(x)
    y = (x - whitening.mean_) @ whitening.components_.T
    np.testing.assert_allclose(y.T @ y / len(x), np.eye(12), atol=1e-10)
    assert (np.diff(whitening.variances_) <= 0).all()


# --- what users do with it


def test_results_are_unit_rows_of_the_type_that_came():
    for dtype in (np.float32, np.float64):
        x, labels = clustered(dtype=dtype)
        for whitening in (PCAWhitening(5).fit(x), LearnedWhitening(5).fit(x, labels)):
            y = whitening.transform(x)
            assert (y.shape, y.dtype) == ((300, 5), dtype)
            np.testing.assert_allclose(np.linalg.norm(y, axis=1), 1, atol=1e-5)


def test_single_precision_gives_the_same_whitening():
    x, labels = clustered()
    double = LearnedWhitening().fit(x, labels).components_
    single = LearnedWhitening().fit(x.astype(np.float32), labels).components_
    np.testing.assert_allclose(same_signs(single, double), double, atol=1e-3 * np.abs(double).max())


def test_what_equals_the_mean_becomes_zero_and_not_nan():
    x, _ = clustered()
    whitening = PCAWhitening().fit(x)
    assert whitening.transform(whitening.mean_[None]).tolist() == [[0.0] * 12]


@pytest.mark.parametrize("components", [None, 5])
def test_folded_into_a_layer_and_back(components):
    x, labels = clustered()
    for whitening in (PCAWhitening(components).fit(x), LearnedWhitening(components).fit(x, labels)):
        layer = whitening.to_linear()
        with torch.no_grad():
            y = torch.nn.functional.normalize(layer(torch.tensor(x, dtype=torch.float32)), dim=1)
        np.testing.assert_allclose(y.numpy(), whitening.transform(x), atol=1e-4)
        back = type(whitening).from_linear(layer)
        np.testing.assert_allclose(back.transform(x), whitening.transform(x), atol=1e-4)


def test_a_layer_that_is_no_whitening_is_refused():
    layer = torch.nn.Linear(2, 3)  # three outputs of two inputs: no mean gives an arbitrary bias
    with torch.no_grad():
        layer.bias.copy_(torch.tensor([1.0, 2.0, 3.0]))
    with pytest.raises(ValueError, match="no mean gives its bias"):
        LearnedWhitening.from_linear(layer)


def test_it_works_in_a_pipeline():
    x, labels = clustered()
    y = make_pipeline(PCAWhitening(10), LearnedWhitening(4)).fit(x, labels).transform(x)
    assert y.shape == (300, 4)


@pytest.mark.parametrize("estimator", [PCAWhitening(), LearnedWhitening(), LearnedWhitening(form="paper")])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_scikit_learns_checks_pass_without_an_exception(estimator):
    results = check_estimator(estimator, on_fail=None, on_skip=None)
    failed = [result["check_name"] for result in results if result["status"] == "failed"]
    assert failed == []
    assert len(results) > 30


# --- little to learn from


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pca_of_fewer_rows_than_dimensions_is_real_finite_and_smaller(dtype):
    x = np.random.default_rng(0).normal(size=(100, 256)).astype(dtype)
    whitening = PCAWhitening().fit(x)
    assert whitening.components_.shape == (99, 256)
    assert np.isrealobj(whitening.components_)
    assert np.isfinite(whitening.transform(x)).all()
    with pytest.raises(
        ValueError, match="n_components=128 is not between 1 and 99, the number of directions"
    ):
        PCAWhitening(128).fit(x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_many_rows_in_single_precision_keep_their_small_directions(dtype):
    rng = np.random.default_rng(1)
    x = (rng.normal(size=(20_000, 8)) * [1, 1, 1, 1, 1, 1, 0.03, 0.01]).astype(dtype)
    assert len(PCAWhitening().fit(x).components_) == 8


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fewer_pairs_than_dimensions_are_shrunk_and_reported(dtype):
    x, labels = clustered(rows=400, dimensions=64, dtype=dtype)
    first, second = (rows[:30] for rows in pairs_of(labels))
    with pytest.warns(UserWarning, match=r"30 matching pairs do not differ .* shrinkage=0\.\d+ is used"):
        whitening = LearnedWhitening().fit(x, pairs=(first, second))
    assert 0 < whitening.shrinkage_ < 1
    assert np.isrealobj(whitening.components_)
    assert np.isfinite(whitening.components_).all()
    asked = LearnedWhitening(shrinkage="auto").fit(x, pairs=(first, second))
    assert asked.shrinkage_ == pytest.approx(whitening.shrinkage_)


def test_little_data_gives_the_same_in_single_and_double_precision():
    x, labels = clustered(rows=400, dimensions=64)
    pairs = tuple(rows[:30] for rows in pairs_of(labels))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        double = LearnedWhitening().fit(x, pairs=pairs)
        single = LearnedWhitening().fit(x.astype(np.float32), pairs=pairs)
    assert single.shrinkage_ == pytest.approx(double.shrinkage_, rel=1e-4)
    np.testing.assert_allclose(
        single.transform(x) @ single.transform(x).T, double.transform(x) @ double.transform(x).T, atol=1e-3
    )


def test_one_pair_is_enough_to_run():
    x, _ = clustered(rows=30)
    with pytest.warns(UserWarning, match="1 matching pairs"):
        whitening = LearnedWhitening().fit(x, pairs=([0], [1]))
    assert np.isfinite(whitening.transform(x)).all()
    assert whitening.shrinkage_ == pytest.approx(1e-3)


@pytest.mark.filterwarnings("error")
def test_dead_channels_are_left_out_and_the_rest_is_exact():
    x, labels = clustered()
    dead = np.insert(x, [3, 7], 0.0, axis=1)
    alone, among = LearnedWhitening().fit(x, labels), LearnedWhitening().fit(dead, labels)
    assert among.shrinkage_ == 0
    assert among.components_.shape == (12, 14)
    similarity = [whitening.transform(rows) for whitening, rows in ((alone, x), (among, dead))]
    np.testing.assert_allclose(similarity[0] @ similarity[0].T, similarity[1] @ similarity[1].T, atol=1e-8)


def test_full_shrinkage_is_the_rotation_of_pca():
    x, _ = clustered()
    learned = LearnedWhitening(shrinkage=1.0, form="paper").fit(
        x, np.arange(300) // 2, nonmatching=np.triu_indices(300, k=1)
    )
    expected = unit(PCAWhitening().fit(x).components_)
    np.testing.assert_allclose(same_signs(unit(learned.components_), expected), expected, atol=1e-8)


def test_shrinkage_moves_towards_no_whitening():
    x, labels = clustered()
    spread = []
    for shrinkage in (0.0, 0.1, 0.5, 1.0):
        p = LearnedWhitening(shrinkage=shrinkage).fit(x, labels).components_
        lengths = np.linalg.norm(p, axis=1)
        spread.append(lengths.max() / lengths.min())
    assert np.all(np.diff(spread) < 0)
    assert spread[-1] == pytest.approx(1)


def test_ledoit_wolf_is_that_of_scikit_learn():
    x, labels = clustered(rows=60, dimensions=20)
    first, second = (rows[:35] for rows in pairs_of(labels))
    within = scatter_of_differences(x, first, second) / len(first)
    expected = ledoit_wolf_shrinkage(x[first] - x[second], assume_centered=True)
    assert ledoit_wolf(within, x, first, second) == pytest.approx(expected, rel=1e-9)


def test_pairs_in_parts_give_the_same(monkeypatch):
    x, labels = clustered()
    whole = LearnedWhitening(shrinkage="auto").fit(x, labels)
    monkeypatch.setattr(scatter, "PAIRS_AT_ONCE", 17)
    parts = LearnedWhitening(shrinkage="auto").fit(x, labels)
    assert parts.shrinkage_ == pytest.approx(whole.shrinkage_)
    np.testing.assert_allclose(same_signs(parts.components_, whole.components_), whole.components_, atol=1e-8)


X, LABELS = clustered(rows=40)


@pytest.mark.parametrize(
    ("settings", "arguments", "message"),
    [
        ({}, {}, "requires y to be passed"),
        ({}, {"y": np.arange(40)}, "no two rows have the same cluster"),
        ({}, {"y": LABELS[:-1]}, "one cluster for each of the 40 rows"),
        ({}, {"pairs": ([0], [40])}, "rows of X, whole numbers from 0 to 39"),
        ({}, {"pairs": ([-1], [2])}, "from 0 to 39"),
        ({}, {"pairs": ([0.0], [1.0])}, "whole numbers"),
        ({}, {"pairs": ([0, 1], [2])}, "equally long"),
        ({}, {"pairs": ([], [])}, "equally long"),
        ({}, {"pairs": ([3], [3])}, "identical rows"),
        ({"n_components": 0}, {"y": LABELS}, "n_components=0 is not between 1 and 12"),
        ({"n_components": 13}, {"y": LABELS}, "n_components=13 is not between 1 and 12"),
        ({"shrinkage": -0.1}, {"y": LABELS}, "in 0..1 or 'auto'"),
        ({"shrinkage": 1.1}, {"y": LABELS}, "in 0..1 or 'auto'"),
        ({"shrinkage": "oas"}, {"y": LABELS}, "in 0..1 or 'auto'"),
        ({"form": "matlab"}, {"y": LABELS}, "known: reference, paper"),
        ({"form": "paper"}, {"pairs": ([0], [1])}, "needs to know what does not match"),
        ({"form": "paper"}, {"y": np.zeros(40)}, "all rows are of one cluster"),
    ],
)
def test_what_cannot_be_learned_is_said(settings, arguments, message):
    with pytest.raises(ValueError, match=message):
        LearnedWhitening(**settings).fit(X, **arguments)


def test_pca_of_equal_rows_is_refused():
    with pytest.raises(ValueError, match="no variance to whiten"):
        PCAWhitening().fit(np.ones((5, 3)))
