"""Which tolerance a result gets, and why."""

import pytest

from book.regress.tolerance import K, spread_over, tolerance_of, usual_spread
from gem_lite.report import Record, Value

SEEDS: dict[str, Value] = {"0": 60.0, "1": 61.0, "2": 62.0}


def test_what_the_chapter_declares_comes_first() -> None:
    found = tolerance_of(Record(1.0, tolerance=1e-5), SEEDS, trained=True, usual=1.0)
    assert found.lengths == [1e-5]
    assert found.why == "declared by the chapter"


def test_a_time_is_not_judged() -> None:
    assert tolerance_of(Record(3.2, "s", compared=False), SEEDS, trained=True, usual=1.0).lengths is None


def test_the_spread_over_seeds_decides_where_a_network_was_trained() -> None:
    found = tolerance_of(Record(60.0, "%"), SEEDS, trained=True, usual=0.5)
    assert found.lengths == [K * 1.0]
    assert found.spread == [1.0]
    assert found.why == "4 × spread over seeds 0, 1, 2"


def test_seeds_that_agree_by_luck_get_the_usual_spread() -> None:
    lucky: dict[str, Value] = {"0": 60.0, "1": 60.001, "2": 60.0}
    found = tolerance_of(Record(60.0, "%"), lucky, trained=True, usual=0.5)
    assert found.lengths == [K * 0.5]
    assert "raised" in found.why


def test_without_a_trained_network_there_is_only_rounding() -> None:
    assert tolerance_of(Record(60.0, "%"), SEEDS, trained=False, usual=1.0).lengths == [0.05]
    assert tolerance_of(Record(2.0), SEEDS, trained=False, usual=1.0).lengths == [0.002]
    assert tolerance_of(Record(1e-15), SEEDS, trained=False, usual=1.0).lengths == [1e-5]


def test_one_seed_knows_nothing_of_noise_and_says_so() -> None:
    found = tolerance_of(Record(60.0, "%"), {"0": 60.0}, trained=True, usual=0.0)
    assert found.lengths == [0.05]
    assert "one seed only" in found.why


def test_whole_numbers_and_words_that_no_seed_changes_are_exact() -> None:
    same: dict[str, Value] = {"0": 5, "1": 5, "2": 5}
    found = tolerance_of(Record(5), same, trained=True, usual=1.0)
    assert found.lengths == [0.5]
    assert found.why.startswith("exact")
    verdicts: dict[str, Value] = dict.fromkeys("012", "a gain")
    assert tolerance_of(Record("a gain"), verdicts, trained=True, usual=1.0).lengths == []


def test_words_that_differ_over_seeds_are_not_judged() -> None:
    words: dict[str, Value] = {"0": "a gain", "1": "undecided", "2": "a gain"}
    assert tolerance_of(Record("a gain"), words, trained=True, usual=1.0).lengths is None


def test_numbers_in_a_text_share_the_largest_spread() -> None:
    texts: dict[str, Value] = {"0": "1.0 (0.0 to 2.0)", "1": "1.2 (0.0 to 6.0)"}
    found = tolerance_of(Record("1.0 (0.0 to 2.0)"), texts, trained=True, usual=0.0)
    assert found.lengths == pytest.approx([K * 8**0.5] * 3)


def test_what_no_seed_changes_says_nothing_about_the_usual_spread() -> None:
    spreads = [("%", [0.0]), ("%", [1.0]), ("points", [3.0]), ("", [99.0]), ("%", None)]
    assert usual_spread(spreads) == 2.0
    assert usual_spread([]) == 0.0
    assert spread_over([1.0]) is None
