"""The weights s^α of query expansion on ranked lists: what n and α let in, and how far the query turns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ipywidgets
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gem_lite.search import expand_queries, rank
from gem_lite.widgets.element import encode_numbers, fixed
from gem_lite.widgets.expansion_weights_picture import draw_weights
from gem_lite.widgets.live import LiveElement

FloatArray = NDArray[np.float64]
LETTERS = {"positive": "p", "junk": "j", "negative": "n"}


@dataclass(frozen=True, eq=False)
class RankedList:
    """A query (D,), the database (N, D), what each image of it is to the query, and which one it is itself.

    ``kinds`` (N,) holds "positive", "junk" or "negative"; ``own`` is a database row, -1 where there is none.
    """

    query: npt.NDArray[Any]
    database: npt.NDArray[Any]
    kinds: npt.NDArray[np.str_]
    own: int = -1


class _Neighbours:
    """The first images of a list without the query's own, in float64."""

    def __init__(self, ranked: RankedList, listed: int) -> None:
        self.query, self.database = ranked.query.astype(np.float64)[None], ranked.database.astype(np.float64)
        self.own = ranked.own
        order, scores = rank(self.query, self.database)
        kept = np.flatnonzero(order[0] != ranked.own)[:listed]
        self.rows, self.similarities = order[0, kept], scores[0, kept]
        self.kinds = np.asarray(ranked.kinds)[self.rows]

    def expanded(self, n: int, alpha: float) -> FloatArray:
        """The new query (D,), by `gem_lite.search.expand_queries`."""
        return np.asarray(
            expand_queries(self.query, self.database, n, alpha, [self.own])[0], dtype=np.float64
        )

    def weights(self, n: int, alpha: float) -> FloatArray:
        """What `expand_queries` multiplies each listed image with."""
        weights = self.similarities.clip(0) ** alpha if alpha > 0 else np.ones_like(self.similarities)
        return np.where(np.arange(len(weights)) < n, weights, 0.0)


class ExpansionWeights(LiveElement):
    """Weights of the neighbours over their similarity and over their place in the list, under n and α.

    Below, the list before, and the same images in the order that the expanded query gives them. Similarities
    and the products of all listed images travel to the page as float32: the browser's numbers equal Python's
    to 1e-5; one or two decimals are shown. A page grows by about 50 KB and 27 KB for every list of 100.

    Args:
        lists: name of each ranked list; the first is shown first.
        n: neighbours at the start.
        alpha: exponent at the start, 0 to 10.
        listed: how many neighbours of a list there are to choose from.

    Raises:
        ValueError: without a list, for n or alpha out of range, or an unknown kind.

    Chapter: 10_expansion.
    """

    tag, script = "gem-expansion-weights", "expansion_weights"

    def __init__(
        self, lists: Mapping[str, RankedList], n: int = 50, alpha: float = 3.0, listed: int = 100
    ) -> None:
        if not lists:
            raise ValueError("there is no ranked list to show")
        if not 0 <= n <= listed or not 0 <= alpha <= 10:
            raise ValueError(f"n must be 0 to {listed} and alpha 0 to 10, not {n} and {alpha}")
        self._lists = {name: _Neighbours(ranked, listed) for name, ranked in lists.items()}
        unknown = {kind for found in self._lists.values() for kind in found.kinds} - set(LETTERS)
        if unknown:
            raise ValueError(f"kinds must be {', '.join(LETTERS)}, not {', '.join(sorted(unknown))}")
        most = max(len(found.rows) for found in self._lists.values())
        self.list = ipywidgets.Dropdown(options=list(lists), description="list")
        self.n = ipywidgets.IntSlider(value=min(n, most), min=0, max=most, description="n")
        self.alpha = ipywidgets.FloatSlider(value=alpha, min=0, max=10, step=0.1, description="α")
        super().__init__()
        self.begin([self.list, self.n, self.alpha])

    @property
    def neighbours(self) -> _Neighbours:
        """The list that is shown."""
        return self._lists[self.list.value]

    @property
    def weights(self) -> FloatArray:
        """Weight of each listed image, 0 beyond n."""
        return self.neighbours.weights(self.n.value, self.alpha.value)

    @property
    def shares(self) -> dict[str, float]:
        """Percent of the neighbours' weight on images that are positive, junk and negative."""
        weights, kinds = self.weights, self.neighbours.kinds
        return {kind: float(100 * weights[kinds == kind].sum() / (weights.sum() or 1)) for kind in LETTERS}

    @property
    def turn(self) -> float:
        """Degrees between the query and the expanded query."""
        new = self.neighbours.expanded(self.n.value, self.alpha.value)
        return float(np.rad2deg(np.arccos(np.clip(self.neighbours.query[0] @ new, -1, 1))))

    @property
    def order(self) -> NDArray[np.int64]:
        """The listed images as the expanded query orders them."""
        new = self.neighbours.expanded(self.n.value, self.alpha.value)
        return np.argsort(-(self.neighbours.database[self.neighbours.rows] @ new), kind="stable")

    def draw(self, title: str = "") -> Figure:
        """The picture as the controls stand."""
        found = self.neighbours
        return draw_weights(
            found.similarities, self.weights, found.kinds, self.order, self.n.value, self.alpha.value, title
        )

    def title(self) -> str:
        """List, n and α."""
        return f"{self.list.value}: n = {self.n.value}, α = {fixed(self.alpha.value, 1)}"

    def description(self) -> str:
        """What the picture shows, in words."""
        shares = {kind: fixed(share, 1) for kind, share in self.shares.items()}
        return (
            f"{self.title()}. Of the neighbours' weight {shares['positive']} % is on images of the landmark, "
            f"{shares['junk']} % on junk and {shares['negative']} % on something else; all weights together "
            f"are {fixed(float(self.weights.sum()), 2)}, and the query turns by {fixed(self.turn, 1)}°."
        )

    def alternative(self) -> str:
        """What the picture shows, for those who do not see it."""
        return f"Weights of the neighbours over similarity and over their place. {self.description()}"

    def element_data(self) -> dict[str, Any]:
        """What the page's element needs, as JSON."""
        return {
            "n": self.n.value,
            "alpha": self.alpha.value,
            "lists": [
                {
                    "name": name,
                    "similarities": encode_numbers(found.similarities),
                    "kinds": "".join(LETTERS[kind] for kind in found.kinds),
                    "products": encode_numbers(_upper_products(found.database[found.rows])),
                }
                for name, found in self._lists.items()
            ],
        }


def _upper_products(rows: FloatArray) -> FloatArray:
    """Inner products of all pairs of rows (n, D), on and above the diagonal, row by row."""
    return np.asarray((rows @ rows.T)[np.triu_indices(len(rows))])
