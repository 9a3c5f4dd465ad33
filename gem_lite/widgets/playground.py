"""The retrieval playground: rank, mark and score while the settings move.

In JupyterLab or Colab a live control that searches with the library; in the built page an element that
computes the same numbers in the browser, without a kernel and without a network.
"""

import base64
import math
from dataclasses import asdict, fields
from typing import Any

import ipywidgets
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gem_lite.widgets.element import encode_numbers, encode_picture, png
from gem_lite.widgets.live import LiveElement
from gem_lite.widgets.playground_data import Collection, Described, to_integers
from gem_lite.widgets.playground_picture import contact_sheet, draw_playground
from gem_lite.widgets.playground_search import Found, Settings, find, kinds, search, serving

PHOTO_SIDE = 96  # pixels of the longer side in the page
COUNTS = (0, 1, 2, 3, 5, 10, 20, 50)
ALPHAS = (0.0, 1.0, 2.0, 3.0, 5.0, 10.0)
POOLING_NAMES = {"spoc": "SPoC", "gem": "GeM", "mac": "MAC"}
WHITENING_NAMES = {"none": "none", "PCAw": "PCA", "Lw": "learned"}


def dimension_stops(most: int) -> list[int]:
    """Powers of two up to the number of components, and that number.

    >>> dimension_stops(12), dimension_stops(16)
    ([2, 4, 8, 12], [2, 4, 8, 16])
    """
    return [*(2**i for i in range(1, most.bit_length()) if 2**i < most), most]


def exponent_name(p: float) -> str:
    """As it is written on the slider.

    >>> exponent_name(1.5), exponent_name(3.0), exponent_name(math.inf)
    ('1.5', '3', '∞')
    """
    return "∞" if math.isinf(p) else f"{p:g}"


def _percent(share: float) -> str:
    return "unknown" if math.isnan(share) else f"{100 * share:.1f} %"


def _coded(rows: NDArray[np.floating[Any]]) -> dict[str, Any]:
    """Rows as playground.js reads them: 16-bit integers and their scales."""
    integers = to_integers(rows)
    return {
        "rows": rows.shape[0],
        "columns": rows.shape[1],
        "values": base64.b64encode(integers.values.astype("<i2").tobytes()).decode(),
        "byRow": encode_numbers(integers.by_row),
        "byColumn": encode_numbers(integers.by_column),
    }


def _exponent(p: float) -> float | None:
    return None if math.isinf(p) else p  # JSON has no ∞


def _coded_body(described: Described) -> dict[str, Any]:
    layers = zip(described.stops, described.database, described.queries, strict=True)
    return {
        "state": described.state,
        "pooling": described.pooling,
        "layers": [
            {"p": _exponent(p), "database": _coded(database), "queries": _coded(queries)}
            for p, database, queries in layers
        ],
        "whitenings": [
            {
                "p": _exponent(p),
                **{
                    name: {"mean": _coded(w.mean_[None]), "components": _coded(w.components_)}
                    for name, w in both.items()
                },
            }
            for p, both in described.whitenings.items()
        ],
    }


class RetrievalPlayground(LiveElement):
    """Queries, ranked answers, average precision and its curve, under settings that move.

    Show it by ending a cell with it. All numbers are rounded to 16 bits at the start, in Python too, so that
    a live control and the page compute from the same descriptors, which `collection` holds. A page grows by
    2.7 bytes for every number (descriptors at every exponent, whitenings) and by the pictures.

    Args:
        collection: images, queries and what the networks make of them. The first network decides which
            exponents there are to choose from.
        settings: at the start; by default the first network, GeM with p = 3, no whitening, no expansion.
        query: number of the query at the start, from 0.

    Raises:
        ValueError: for a collection without networks, or settings that it has no network for.

    Chapter: playground.
    """

    tag, script = "gem-playground", "playground"

    def __init__(self, collection: Collection, settings: Settings | None = None, query: int = 0) -> None:
        if not collection.described:
            raise ValueError(
                "the collection has no networks: describe its images first (Collection.described)"
            )
        super().__init__()
        self.exact, self.collection = collection, collection.rounded()
        start = settings or Settings(state=collection.described[0].state)
        find(collection.described, start)
        self._found: tuple[Settings, Found] | None = None
        self.begin(self._controls(start, dimension_stops(collection.dimensions), query))
        sheet = ipywidgets.Image(value=png(contact_sheet(collection)), layout={"max_width": "100%"})
        self.children = tuple([sheet, *self.children])  # noqa: C409 (mypy knows the length of a display)

    def _controls(self, start: Settings, stops: list[int], query: int) -> list[ipywidgets.Widget]:
        slide, toggle = ipywidgets.SelectionSlider, ipywidgets.ToggleButtons
        narrow = {"style": {"button_width": "auto"}}
        described = self.collection.described
        states = list(dict.fromkeys(network.state for network in described))
        poolings, whitenings = (
            [(name, key) for key, name in names.items()] for names in (POOLING_NAMES, WHITENING_NAMES)
        )
        exponents = [(exponent_name(p), p) for p in described[0].stops]
        numbers = range(1, len(self.collection.query_rows) + 1)
        kept = min(start.dimensions, stops[-1])
        self.query = slide(options=numbers, value=query + 1, description="query")
        self.state = toggle(options=states, value=start.state, description="network", **narrow)
        self.pooling = toggle(options=poolings, value=start.pooling, description="pooling", **narrow)
        self.p = slide(options=exponents, value=start.p, description="p of GeM")
        self.whitening = toggle(options=whitenings, value=start.whitening, description="whitening", **narrow)
        self.dimensions = slide(options=stops, value=kept, description="dimensions")
        self.n = slide(options=COUNTS, value=start.n, description="expand, n")
        self.alpha = slide(options=[(f"{a:g}", a) for a in ALPHAS], value=start.alpha, description="α")
        return [self.query, *(getattr(self, field.name) for field in fields(Settings))]

    @property
    def settings(self) -> Settings:
        """What the controls say."""
        return Settings(**{field.name: getattr(self, field.name).value for field in fields(Settings)})

    @property
    def found(self) -> Found:
        """Rankings of all queries under the settings, by the library."""
        settings = self.settings
        if self._found is None or self._found[0] != settings:
            self._found = settings, search(self.collection, settings)
        return self._found[1]

    def update(self, change: object = None) -> None:
        """Searches and draws again."""
        self.p.disabled = self.pooling.value != "gem"
        self.dimensions.disabled = self.whitening.value == "none"
        self.alpha.disabled = self.n.value == 0
        super().update(change)

    def draw(self, title: str = "") -> Figure:
        """The picture as the controls stand."""
        return draw_playground(self.collection, self.found, self.query.value - 1, title)

    def title(self) -> str:
        """The query and its numbers."""
        evaluation, query = self.found.evaluation, self.query.value
        return f"Query {query}: AP {_percent(evaluation.aps[query - 1])} (mAP {_percent(evaluation.map)})"

    def description(self) -> str:
        """The settings and their numbers, in words."""
        settings, evaluation = self.settings, self.found.evaluation
        network = find(self.collection.described, settings)
        words = [network.state, f"pooled at p = {exponent_name(settings.exponent)}"]
        if network.state == "fine-tuned":
            words[0] += f" with {POOLING_NAMES[network.pooling]}"
        if settings.whitening != "none":
            fitted = exponent_name(serving(settings.exponent, tuple(network.whitenings)))
            name = WHITENING_NAMES[settings.whitening]
            words.append(f"{name} whitening fitted at p = {fitted}, first {settings.dimensions} numbers")
        if settings.n:
            words.append(f"queries expanded, n = {settings.n}, α = {settings.alpha:g}")
        return f"{self.title()}. Mean over {len(evaluation.aps)} queries. Network {', '.join(words)}."

    def alternative(self) -> str:
        """What the picture shows, for those who do not see it."""
        query = self.query.value - 1
        first = kinds(self.collection, query)[self.found.ranks[query, :10]]
        return f"A query and its first answers. {self.description()} The first ten: {', '.join(first)}."

    def element_data(self) -> dict[str, Any]:
        """What the page's element needs, as JSON."""
        images, settings = self.collection.images, asdict(self.settings)
        return {
            "aspect": images.shape[2] / images.shape[1],
            "photos": [encode_picture(image, PHOTO_SIDE, quality=70) for image in images],
            "queries": [self._query(query) for query in range(len(self.collection.query_rows))],
            "bodies": [_coded_body(described) for described in self.exact.described],
            "choices": {
                "p": [_exponent(p) for p in self.collection.described[0].stops],
                "dimensions": list(self.dimensions.options),
                "n": COUNTS,
                "alpha": ALPHAS,
            },
            "settings": {**settings, "p": _exponent(settings["p"]), "query": self.query.value - 1},
        }

    def _query(self, query: int) -> dict[str, Any]:
        height, width = self.collection.images.shape[1:3]
        left, top, right, bottom = self.collection.boxes[query]
        box = [left / width, top / height, (right - left) / width, (bottom - top) / height]
        kind = kinds(self.collection, query)
        return {
            "row": int(self.collection.query_rows[query]),
            "box": [round(100 * share, 2) for share in box],
            "positives": np.flatnonzero(kind == "positive").tolist(),
            "junk": np.flatnonzero(kind == "junk").tolist(),
        }
