"""The pictures of the chapter on large collections show what was measured."""

from collections.abc import Iterator

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from figures import large_curves, large_measure, large_similarities
from gem_lite.drawn import Drawn, moments
from gem_lite.evaluate import evaluate
from gem_lite.search import expand_queries, rank
from gem_lite.seeds import stream


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    yield
    plt.close("all")


def real() -> tuple[np.ndarray, np.ndarray]:
    rng = stream("test large figures")
    clusters = np.repeat(np.arange(30), 6)
    x = np.abs(rng.normal(size=(30, 8)))[clusters] + 0.2 * rng.normal(size=(180, 8))
    return x / np.linalg.norm(x, axis=1, keepdims=True), clusters


def test_similarities_are_those_of_all_pairs() -> None:
    x, clusters = real()
    found = large_similarities.of_real(x, clusters)
    assert (len(found.same), len(found.other)) == (30 * 15, 180 * 179 // 2 - 30 * 15)
    assert found.same.mean() == pytest.approx(
        np.mean([x[i] @ x[j] for i in range(180) for j in range(i) if clusters[i] == clusters[j]])
    )
    drawn = large_similarities.of_drawn(Drawn(moments(x, clusters), 20, 5), others=300)
    assert (drawn.same.size, drawn.other.size) == (100, 6000)
    assert abs(drawn.same.mean() - found.same.mean()) < 0.05
    assert abs(drawn.other.mean() - found.other.mean()) < 0.05
    (ax,) = large_similarities.draw(found, drawn).axes
    assert len(ax.get_legend_handles_labels()[1]) == 4


def test_a_measurement_is_that_of_the_plain_functions() -> None:
    pytest.importorskip("faiss")
    drawn = Drawn(moments(*real()), queries=10, positives=5)
    rows = {row["way"]: row for row in large_measure.measure(drawn, 2000)}
    assert list(rows) == ["exact", "flat", "ivfpq", "ivfpq reranked", "hnsw"]
    database, queries, truth = drawn.rows(0, 2000), drawn.queries(), drawn.ground_truth()
    assert rows["exact"]["map"] == pytest.approx(evaluate(rank(queries, database)[0], truth).map)
    expanded = expand_queries(queries, database, n=10)
    assert rows["exact"]["map_expanded"] == pytest.approx(evaluate(rank(expanded, database)[0], truth).map)
    assert rows["exact"]["bytes"] == 2000 * 8 * 4
    assert rows["flat"]["recall"] == pytest.approx(1, abs=0.02)  # near-ties may be settled otherwise
    assert rows["ivfpq"]["bytes"] < rows["flat"]["bytes"] < rows["hnsw"]["bytes"]
    assert rows["ivfpq"]["recall"] <= rows["ivfpq reranked"]["recall"] <= 1
    assert all(row["search_cpu_s"] >= 0 and row["queries"] == 10 for row in rows.values())


def test_curves_have_a_point_for_every_row() -> None:
    rows = [
        {
            "way": way,
            "count": count,
            "queries": 70,
            "recall": 0.5,
            "bytes": 100 * count,
            "search_cpu_s": count / 1e4,
            "map": 0.4,
            "map_expanded": 0.6,
        }
        for count in (10_000, 1000)
        for way in large_curves.WAYS
    ]
    recall, time, size = large_curves.draw(rows).axes
    for ax, values in ((recall, [50, 50]), (time, [100 / 70, 1000 / 70]), (size, [100, 100])):
        assert len(ax.lines) == len(large_curves.WAYS)
        for line in ax.lines:
            assert list(line.get_xdata()) == [1000, 10_000]
            assert list(line.get_ydata()) == pytest.approx(values)
    (accuracy,) = large_curves.draw_accuracy(rows).axes
    assert [line.get_ydata()[0] for line in accuracy.lines] == [60, 40]


def test_a_missing_table_says_how_to_make_it(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr(large_curves, "TABLE", large_curves.TABLE.with_name("nowhere.json"))
    with pytest.raises(FileNotFoundError, match="make bench"):
        large_curves.recorded()
