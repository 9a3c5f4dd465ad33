"""Evaluation against hand-worked lists, a transcription of the definitions and the reference's numbers."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_lite.evaluate import (
    average_precision,
    bootstrap,
    evaluate,
    finite_average_precision,
    precision_at,
    ranks_of_positives,
    reference_precision_at,
)


def transcription(ranking, positives, junk, kappas):
    """AP and P@k of one query as the definitions read: walk down the list, drop junk, add trapezoids."""
    kept = [image for image in ranking if image not in set(junk)]
    places = [place for place, image in enumerate(kept) if image in set(positives)]
    area = 0.0
    for found, place in enumerate(places):
        before = found / place if place > 0 else 1.0
        after = (found + 1) / (place + 1)
        area += (before + after) / 2 / len(positives)
    precisions = []
    for k in kappas:
        depth = min(places[-1] + 1, k)
        precisions.append(sum(place < depth for place in places) / depth)
    return area, precisions


@pytest.mark.parametrize(
    ("ranks", "trapezoid", "finite"),
    [
        ([0], 1.0, 1.0),
        ([1], 0.25, 0.5),
        ([0, 3], (1 + 1 + 1 / 3 + 2 / 4) / 4, 0.75),  # .708
        (
            [2, 5, 9],
            (0 + 1 / 3 + 1 / 5 + 2 / 6 + 2 / 9 + 3 / 10) / 6,
            (1 / 3 + 2 / 6 + 3 / 10) / 3,
        ),  # .2315, .3222
        ([], 0.0, 0.0),
    ],
)
def test_average_precision_by_hand(ranks, trapezoid, finite):
    n_positives = max(len(ranks), 1)
    assert average_precision(ranks, n_positives) == pytest.approx(trapezoid)
    assert finite_average_precision(ranks, n_positives) == pytest.approx(finite)


def test_a_positive_never_found_costs_its_share():
    assert average_precision([0], 2) == 0.5


def test_no_positives_have_no_average_precision():
    assert np.isnan(average_precision([], 0))
    assert np.isnan(reference_precision_at([], 0, 5))


@pytest.mark.parametrize("ranks", [[3, 1], [1, 1], [-1, 2], [[0, 1]]])
def test_positions_that_are_none_are_refused(ranks):
    with pytest.raises(ValueError, match="increasing positions"):
        average_precision(ranks, 5)


def test_more_found_than_there_are_is_refused():
    with pytest.raises(ValueError, match="n_positives"):
        average_precision([0, 1, 2], 2)


def test_junk_is_passed_over():
    # Ranking: junk, positive, nothing, junk, positive -> without junk: positive, nothing, positive.
    places = ranks_of_positives(np.array([8, 1, 5, 9, 2]), positives=[1, 2], junk=[8, 9])
    assert places.tolist() == [0, 2]


def test_the_two_precisions_differ_below_the_last_positive_only():
    assert precision_at([0, 1], 2, 5) == 0.4
    assert reference_precision_at([0, 1], 2, 5) == 1.0  # two of two
    assert precision_at([0, 7], 2, 5) == reference_precision_at([0, 7], 2, 5) == 0.2


def random_ground_truth(rng, queries, database):
    truth = []
    for _ in range(queries):
        order = rng.permutation(database).tolist()
        cuts = np.sort(rng.integers(1, database // 2, size=3))
        truth.append(
            {"easy": order[: cuts[0]], "hard": order[cuts[0] : cuts[1]], "junk": order[cuts[1] : cuts[2]]}
        )
    return truth


@given(seed=st.integers(0, 2**32 - 1))
def test_evaluate_is_the_transcription(seed):
    rng = np.random.default_rng(seed)
    truth = random_ground_truth(rng, queries=3, database=40)
    ranks = np.array([rng.permutation(40) for _ in truth])
    result = evaluate(ranks, truth, "medium", kappas=(1, 5, 10))
    for query, lists in enumerate(truth):
        ap, precisions = transcription(ranks[query], lists["easy"] + lists["hard"], lists["junk"], (1, 5, 10))
        assert result.aps[query] == pytest.approx(ap, rel=1e-12)
        np.testing.assert_allclose(result.precisions[query], precisions, rtol=1e-12)
    assert result.map == pytest.approx(np.mean(result.aps))
    np.testing.assert_allclose(result.mp, result.precisions.mean(axis=0))


@given(seed=st.integers(0, 2**32 - 1))
def test_junk_may_lie_anywhere(seed):
    rng = np.random.default_rng(seed)
    truth = random_ground_truth(rng, queries=1, database=40)
    ranking = rng.permutation(40)
    is_junk = np.isin(ranking, truth[0]["junk"])
    # The same order of everything else, with all junk moved to the end.
    moved = np.concatenate([ranking[~is_junk], ranking[is_junk]])
    as_it_is, at_the_end = (evaluate(row[None], truth, "medium") for row in (ranking, moved))
    assert as_it_is.map == pytest.approx(at_the_end.map, rel=1e-12)
    np.testing.assert_allclose(as_it_is.mp, at_the_end.mp)


@given(seed=st.integers(0, 2**32 - 1))
def test_swapping_a_positive_upwards_never_hurts(seed):
    rng = np.random.default_rng(seed)
    ranking = rng.permutation(30)
    truth = [{"ok": [3, 4, 5], "junk": []}]
    better = ranking.copy()
    place = int(np.flatnonzero(np.isin(ranking, [3, 4, 5]))[-1])
    if place > 0:
        better[[place - 1, place]] = better[[place, place - 1]]
    assert (
        evaluate(better[None], truth, "classic").map >= evaluate(ranking[None], truth, "classic").map - 1e-12
    )


def test_protocols_by_hand():
    truth = [{"easy": [0], "hard": [1], "junk": [2]}]
    ranks = np.array([[2, 1, 0, 3]])
    assert evaluate(ranks, truth, "easy").map == 1.0  # 2 and 1 are junk
    assert evaluate(ranks, truth, "hard").map == 1.0  # 2 and 0 are junk
    assert evaluate(ranks, truth, "medium").map == 1.0
    assert evaluate(np.array([[3, 1, 0, 2]]), truth, "hard").map == 0.25


def test_classic_ground_truth_may_have_no_junk_list():
    assert evaluate(np.array([[1, 0]]), [{"ok": [0]}], "classic").map == 0.25


def test_a_query_without_positives_is_nan_and_stays_out_of_the_means():
    truth = [{"easy": [], "hard": [1], "junk": []}, {"easy": [0], "hard": [], "junk": []}]
    result = evaluate(np.array([[0, 1], [1, 0]]), truth, "easy")
    assert np.isnan(result.aps[0])
    assert np.isnan(result.precisions[0]).all()
    assert result.map == result.aps[1] == 0.25


@pytest.mark.filterwarnings("error")
def test_no_query_with_positives_gives_nan_without_a_warning():
    result = evaluate(np.array([[0, 1]]), [{"ok": [], "junk": []}], "classic")
    assert np.isnan(result.map)
    assert np.isnan(result.mp).all()


def test_a_list_cut_short_may_hold_no_positive():
    result = evaluate(np.array([[4, 5, 6]]), [{"ok": [0], "junk": [4]}], "classic", kappas=(1, 2))
    assert result.map == 0.0
    assert result.mp.tolist() == [0.0, 0.0]


def test_precision_of_a_list_cut_short_is_that_of_the_whole_list():
    rng = np.random.default_rng(0)
    truth = [{"ok": rng.choice(50, 6, replace=False).tolist(), "junk": []} for _ in range(20)]
    ranks = np.array([rng.permutation(50) for _ in truth])
    cut, whole = (evaluate(r, truth, "classic", kappas=(1, 5, 10)) for r in (ranks[:, :10], ranks))
    np.testing.assert_array_equal(cut.precisions, whole.precisions)
    assert (cut.aps <= whole.aps).all()


def test_unknown_protocol_names_the_known_ones():
    with pytest.raises(ValueError, match="easy, medium, hard, classic"):
        evaluate(np.array([[0]]), [{"ok": [0]}], "mid")


def test_wrong_kind_of_ground_truth_says_which_protocol_fits():
    with pytest.raises(ValueError, match=r"needs easy, hard, but .* only ok"):
        evaluate(np.array([[0]]), [{"ok": [0]}], "medium")


def test_a_query_missing_from_the_rankings_is_noticed():
    with pytest.raises(ValueError, match="2 queries"):
        evaluate(np.array([[0]]), [{"ok": [0]}] * 2, "classic")


@pytest.mark.parametrize("name", ["roxford5k", "rparis6k"])
def test_equal_to_the_reference_on_the_real_ground_truths(test_data: Path, golden: Path, name: str):
    numbers = np.load(golden / "reference.npz")
    with open(test_data / "gnd" / f"gnd_{name}.pkl", "rb") as file:
        truth = pickle.load(file)["gnd"]
    truth = [truth[query] for query in numbers[f"{name}_queries"]]
    for protocol in ("easy", "medium", "hard"):
        result = evaluate(numbers[f"{name}_ranks"], truth, protocol)
        assert result.map == pytest.approx(float(numbers[f"{name}_{protocol}_map"]), rel=1e-9)
        np.testing.assert_allclose(result.aps, numbers[f"{name}_{protocol}_aps"], rtol=1e-9)
        np.testing.assert_allclose(result.mp, numbers[f"{name}_{protocol}_mp"], rtol=1e-9)


def test_two_oxford_queries_have_no_easy_positive(test_data: Path):
    with open(test_data / "gnd" / "gnd_roxford5k.pkl", "rb") as file:
        truth = pickle.load(file)
    ranks = np.tile(np.arange(len(truth["imlist"])), (len(truth["qimlist"]), 1))
    assert np.isnan(evaluate(ranks, truth["gnd"], "easy").aps).sum() == 2
    assert not np.isnan(evaluate(ranks, truth["gnd"], "medium").aps).any()


def test_bootstrap_interval_covers_the_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    covered = 0
    for trial in range(200):
        interval = bootstrap(rng.normal(0.5, 0.2, size=60), resamples=500, seed=trial)
        covered += interval.low <= 0.5 <= interval.high
    assert 0.88 < covered / 200 <= 0.99


def test_bootstrap_of_groups_is_wider_when_queries_of_a_group_agree():
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(20), 10)
    aps = np.repeat(rng.random(20), 10)  # ten queries of one landmark: the same number ten times
    alone, grouped = bootstrap(aps), bootstrap(aps, groups=groups)
    assert grouped.mean == pytest.approx(alone.mean)
    assert (grouped.high - grouped.low) / (alone.high - alone.low) == pytest.approx(np.sqrt(10), rel=0.1)


def test_bootstrap_is_paired_and_signed():
    rng = np.random.default_rng(3)
    before = rng.random(50)
    after = before + 0.01 + 0.001 * rng.normal(size=50)
    gain, loss = bootstrap(after, before), bootstrap(before, after)
    assert gain.excludes_zero
    assert gain.low > 0
    assert gain.high - gain.low < 0.001  # the spread of the queries themselves has cancelled
    assert loss.mean == pytest.approx(-gain.mean)


def test_bootstrap_leaves_unanswered_queries_out():
    assert bootstrap([0.2, np.nan, 0.4], [0.1, 0.5, 0.1]).mean == pytest.approx(0.2)


def test_bootstrap_gives_the_same_interval_in_another_process():
    code = "from gem_lite.evaluate import bootstrap; print(bootstrap([0.1, 0.7, 0.3, 0.9]))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert other.strip() == str(bootstrap([0.1, 0.7, 0.3, 0.9]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.1, 0.2], [0.1]), "pairs need equal"),
        (([0.1, 0.2], None, [0]), "one group per query"),
        (([0.1, 0.2], None, [0, 0]), "at least two groups"),
        (([0.1, np.nan],), "at least two groups"),
    ],
)
def test_bootstrap_errors_say_what_is_wrong(arguments, message):
    with pytest.raises(ValueError, match=message):
        bootstrap(*arguments)
