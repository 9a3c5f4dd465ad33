"""The widget of expansion weights: the browser's arithmetic (run by node) against `expand_queries`."""

import functools
import html
import json
from typing import Any

import numpy as np
import pytest
from widget_kit import element_data, run_node

from gem_lite.seeds import stream
from gem_lite.widgets.expansion_weights import ExpansionWeights, RankedList
from gem_lite.widgets.expansion_weights_picture import similarity_range

SETTINGS = [(0, 3.0), (1, 0.0), (5, 0.0), (20, 3.0), (30, 0.5), (30, 10.0), (7, 2.5)]


@functools.cache
def ranked(name: str, own: int = -1) -> RankedList:
    """A query among images of its own kind and of others, some with a negative similarity."""
    draws = stream("test_widget_expansion", name)
    rows = draws.normal(size=(60, 12)) + np.r_[np.full((15, 1), 1.0), np.zeros((45, 1))]
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    kinds = np.array(["positive"] * 13 + ["junk"] * 4 + ["negative"] * 43)
    query = rows[own] if own >= 0 else rows[:6].mean(axis=0)
    return RankedList(query / np.linalg.norm(query), rows, kinds, own)


def widget(**options: Any) -> ExpansionWeights:
    lists = {"a crop": ranked("crop"), "the picture itself": ranked("own", 4)}
    return ExpansionWeights(lists, listed=30, **({"n": 5} | options))


@pytest.mark.slow
def test_the_browser_computes_what_the_library_computes() -> None:
    live = widget()
    lists = json.dumps(element_data(live.static_html())["lists"])
    settings = json.dumps(SETTINGS)
    got = run_node(
        "expansion_weights",
        f"{lists}.map(listOf).map((list) => {settings}.map(([n, alpha]) => expansion(list, n, alpha)))",
    )
    live.update = lambda change=None: None  # the pictures are not looked at here
    for name, of_list in zip(live.list.options, got, strict=True):
        live.list.value = name
        for (n, alpha), numbers in zip(SETTINGS, of_list, strict=True):
            live.n.value, live.alpha.value = n, alpha
            np.testing.assert_allclose(numbers["weights"], live.weights, rtol=1e-5, atol=1e-7)
            np.testing.assert_allclose(numbers["shares"], list(live.shares.values()), rtol=1e-5, atol=1e-5)
            assert numbers["turn"] == pytest.approx(live.turn, rel=1e-4, abs=0.03)
            assert numbers["order"] == live.order.tolist()


@pytest.mark.parametrize("name", ["a crop", "the picture itself"])
@pytest.mark.parametrize(("n", "alpha"), SETTINGS)
def test_the_weights_are_those_of_the_library(name: str, n: int, alpha: float) -> None:
    """q + Σ w x of the shown weights is the direction that `expand_queries` gives."""
    found = widget()._lists[name]
    by_hand = found.query[0] + found.weights(n, alpha) @ found.database[found.rows]
    np.testing.assert_allclose(by_hand / np.linalg.norm(by_hand), found.expanded(n, alpha), atol=1e-6)


def test_the_axis_is_cut_to_the_list_alike() -> None:
    lists = [[0.61, 0.2, -0.3], [0.6, 0.3], [0.35, 0.35], [1.0, 0.0], [-0.2], [0.99, 0.33], [0.1]]
    got = run_node("expansion_weights", f"{json.dumps(lists)}.map(similarityRange)")
    assert got == [pytest.approx(similarity_range(np.array(one))) for one in lists]
    for one, (low, high) in zip(lists, got, strict=True):
        assert low <= max(min(one), 0)
        assert max(one) <= high


def test_the_query_itself_is_not_listed() -> None:
    found = widget()._lists["the picture itself"]
    assert 4 not in found.rows
    assert len(found.rows) == 30
    assert found.similarities[0] < 0.999


def test_the_live_control_follows() -> None:
    live = widget(n=0, alpha=0.0)
    assert live.turn == pytest.approx(0, abs=1e-3)
    assert sum(live.shares.values()) == 0
    before = bytes(live.picture.value)
    live.n.value = 30
    assert sum(live.shares.values()) == pytest.approx(100)
    assert bytes(live.picture.value) != before
    flat = live.shares["positive"]
    live.alpha.value = 5.0
    assert live.shares["positive"] > flat, "images of the query's own kind are more similar to it"
    assert "α = 5.0" in live.readout.value


def test_page_and_print() -> None:
    page: dict[str, Any] = widget()._repr_mimebundle_()
    data = element_data(page["text/html"])
    assert [one["name"] for one in data["lists"]] == ["a crop", "the picture itself"]
    assert {len(one["kinds"]) for one in data["lists"]} == {30}
    assert html.escape(widget().description()) in page["text/html"]
    assert page["image/png"]
    assert len(page["text/html"]) < 120 * 1024


@pytest.mark.parametrize(
    ("options", "message"),
    [({"n": 31}, "0 to 30"), ({"alpha": -1.0}, "alpha 0 to 10"), ({"lists": {}}, "no ranked list")],
)
def test_errors_say_what_was_wrong(options: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"lists": {"one": ranked("crop")}, "listed": 30, "n": 5, **options}
    with pytest.raises(ValueError, match=message):
        ExpansionWeights(**arguments)


def test_an_unknown_kind_is_named() -> None:
    known = ranked("crop")
    odd = RankedList(known.query, known.database, np.where(known.kinds == "junk", "hard", known.kinds))
    with pytest.raises(ValueError, match="not hard"):
        ExpansionWeights({"odd": odd}, listed=30, n=5)


def test_weights_beside_an_axis_are_short() -> None:
    assert run_node("expansion_weights", "[1, 0.412, 0.00619, 8.05e-5].map(onAxis)") == [
        "1.00",
        "0.412",
        "0.006",
        "0.000",
    ]
