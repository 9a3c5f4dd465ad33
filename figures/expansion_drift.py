"""Query drift on one query: its first answers without expansion, after AQE, and after α-QE."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from figures import ranked_strip
from figures.collection import Collection
from figures.whitening_retrieval import Search
from gem_lite.search import expand_queries, rank

SIZE = 192  # pixels of a picture in the figure


def kind(row: int, truth: Mapping[str, list[int]]) -> str:
    """What a database image is to a query: positive (easy or hard), junk or negative."""
    if row in truth["easy"] or row in truth["hard"]:
        return "positive"
    return "junk" if row in truth["junk"] else "negative"


def draw(
    asked: Collection, search: Search, query: int, n: int = 50, alpha: float = 3.0, answers: int = 7
) -> Figure:
    """Three strips for one query: no expansion, AQE and α-QE with n neighbours.

    Args:
        asked: the pictures of the search.
        search: descriptors as they are searched.
        query: number of the query.
        n: neighbours taken.
        alpha: exponent of the third strip.
        answers: pictures in a strip; the query's own picture is left out.
    """
    before = search.queries[query : query + 1]
    own = search.query_rows[query : query + 1]
    strips, (picture, box) = [], asked.shown_query(query, SIZE)
    for name, exponent in (
        ("no expansion", None),
        (f"AQE, n = {n}", 0.0),
        (f"α = {alpha:g}, n = {n}", alpha),
    ):
        vector = before if exponent is None else expand_queries(before, search.database, n, exponent, own)
        ranking, scores = rank(vector, search.database)
        found = [(row, s) for row, s in zip(ranking[0], scores[0], strict=True) if row != own[0]][:answers]
        shown = [
            ranked_strip.Answer(asked.shown(row, SIZE), f"{score:.2f}", kind(row, search.ground_truth[query]))
            for row, score in found
        ]
        strips.append(ranked_strip.Strip(picture, shown, box, name))
    return ranked_strip.draw(strips)
