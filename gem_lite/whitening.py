"""Whitening by PCA, and learned from matching pairs: transformers of scikit-learn that fold into a layer.

Both are one affine map of descriptor rows, y = P (x - m), followed by L2 normalisation. PCA gives every
direction the same variance. The learned one gives the *differences between matching pairs* the same variance
in every direction, so that what changes between views of one thing counts little, and then turns the axes so
that the first ones tell things apart best.
"""

import warnings
from typing import Self

import numpy as np
import numpy.typing as npt
import scipy.linalg
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from gem_lite.scatter import (
    FloatArray,
    IntArray,
    Pairs,
    checked_labels,
    ledoit_wolf,
    matching_pairs,
    nonmatching_scatter,
    principal_directions,
    rounding,
    scatter_of_differences,
)

# The least shrinkage where none will not do: of a single pair the estimate would be 0.
LEAST_SHRINKAGE = 1e-3


class _Whitening(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """What both have in common: y = P (x - m), then L2. `mean_` is m (D,), `components_` is P (d, D)."""

    mean_: FloatArray
    components_: FloatArray
    n_features_in_: int

    def transform(self, X: npt.ArrayLike) -> FloatArray:
        """Whitens rows (N, D) to (N, d) of unit length, float32 for float32; a zero row stays zero."""
        check_is_fitted(self)
        rows = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        components = self.components_.astype(rows.dtype, copy=False)
        whitened = (rows - self.mean_.astype(rows.dtype, copy=False)) @ components.T
        lengths = np.linalg.norm(whitened, axis=1, keepdims=True)
        return np.asarray(whitened / np.maximum(lengths, np.finfo(rows.dtype).tiny))

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def to_linear(self) -> torch.nn.Linear:
        """The same map as a layer, weight P and bias -P m: the network then ends in whitening and L2.

        >>> rows = np.random.default_rng(0).normal(size=(50, 4))
        >>> whitening = PCAWhitening().fit(rows)
        >>> layer = whitening.to_linear()
        >>> y = torch.nn.functional.normalize(layer(torch.tensor(rows, dtype=torch.float32)), dim=1)
        >>> np.allclose(y.detach(), whitening.transform(rows), atol=1e-5)
        True
        """
        check_is_fitted(self)
        outputs, inputs = self.components_.shape
        layer = torch.nn.Linear(inputs, outputs)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(self.components_))
            layer.bias.copy_(torch.from_numpy(-self.components_ @ self.mean_))
        return layer

    @classmethod
    def from_linear(cls, layer: torch.nn.Linear) -> Self:
        """The whitening that a layer does. Of all m that give its bias the shortest is taken.

        Raises:
            ValueError: if no m gives the layer's bias, which no whitening has then made.
        """
        weight = layer.weight.detach().cpu().double().numpy()
        bias = np.zeros(len(weight)) if layer.bias is None else layer.bias.detach().cpu().double().numpy()
        mean = scipy.linalg.lstsq(weight, -bias)[0]
        if not np.allclose(weight @ mean, -bias, atol=1e-5 * max(1.0, np.abs(bias).max())):
            raise ValueError("this layer is no whitening: no mean gives its bias")
        whitening = cls()
        whitening.mean_, whitening.components_ = mean, weight
        whitening.n_features_in_ = weight.shape[1]
        return whitening

    def _kept(self, available: int, why: str) -> int:
        """How many components to keep, of those that there are."""
        wanted: int | None = self.n_components
        if wanted is None:
            return available
        if not 1 <= wanted <= available:
            raise ValueError(f"n_components={wanted} is not between 1 and {available}, {why}")
        return wanted


class PCAWhitening(_Whitening):
    """PCA whitening: uncorrelated axes of unit variance, those of most variance first, then L2.

    Directions without variance are left out, for they cannot be scaled: of fewer rows than dimensions there
    come at most as many components as rows less one.

    Args:
        n_components: how many to keep; by default all that have variance.

    Attributes:
        mean_: (D,) mean of the rows.
        components_: (d, D), P; rows in order of falling variance.
        variances_: (d,) of the rows along each component, before it is made 1.

    Source: the paper's PCAw, as in its code. Chapter: 08_whitening.
    """

    def __init__(self, n_components: int | None = None) -> None:
        self.n_components = n_components

    def fit(self, X: npt.ArrayLike, y: object = None) -> Self:
        """Learns from rows (N, D); y is not looked at.

        Raises:
            ValueError: for fewer than two rows, all rows equal, or more components than have variance.
        """
        rows = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        variances, directions = principal_directions(rows)
        if not len(variances):
            raise ValueError("all rows are equal: there is no variance to whiten")
        kept = self._kept(len(variances), f"the number of directions in which these {len(rows)} rows vary")
        self.mean_ = rows.mean(axis=0, dtype=np.float64)
        self.variances_ = variances[:kept]
        self.components_ = directions[:, :kept].T / np.sqrt(self.variances_)[:, None]
        return self


class LearnedWhitening(_Whitening):
    """Whitening learned from matching pairs, then L2.

    With C_S the mean of (a - b)(a - b)ᵀ over matching pairs and C the scatter of descriptors, the components
    are the generalised eigenvectors of C v = λ C_S v, largest λ first, scaled so that P C_S Pᵀ = 1. That is
    in one step what the paper does in two: whitening by C_S^(-1/2), then a rotation by the eigenvectors of
    C_S^(-1/2) C C_S^(-1/2).

    Two forms are in use, close but not equal:

    - "reference", the paper's code: C is the scatter of *all* rows about m, and m the mean of the queries
      (the first row of every pair).
    - "paper": C is the mean of (a - b)(a - b)ᵀ over *non-matching* pairs, and m the mean of all rows.

    With few pairs, fewer than dimensions above all, C_S has directions without or with hardly any variance,
    and dividing by those makes noise large. `shrinkage` mixes it with a multiple of the identity of the same
    trace, (1 - s) C_S + s tr(C_S)/D 1; at s = 1 nothing is whitened and PCA's rotation remains. Directions in
    which no row varies are left out. Where C_S cannot be inverted in the others either, 0 is replaced by
    Ledoit and Wolf's estimate, with a warning.

    Args:
        n_components: how many to keep; by default all in which the rows vary.
        shrinkage: s in 0..1, or "auto" for Ledoit and Wolf's estimate.
        form: "reference" or "paper".

    Attributes:
        mean_: (D,), m.
        components_: (d, D), P.
        gains_: (d,), λ: how much more descriptors vary along each component than matching pairs do.
        shrinkage_: the s that was used.
        n_pairs_: number of matching pairs.

    Source: the paper's section on learned whitening (Lw), after Mikolajczyk and Matas 2007.
    Chapter: 08_whitening.
    """

    def __init__(
        self, n_components: int | None = None, shrinkage: float | str = 0.0, form: str = "reference"
    ) -> None:
        self.n_components = n_components
        self.shrinkage = shrinkage
        self.form = form

    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike | None = None,
        *,
        pairs: Pairs | None = None,
        nonmatching: Pairs | None = None,
    ) -> Self:
        """Learns from rows (N, D) and what is known of which rows match.

        Args:
            X: descriptors.
            y: (N,) cluster of each row: without `pairs`, every two rows of a cluster are a pair.
            pairs: (q, p), each (M,) rows of X: row q[i] matches row p[i].
            nonmatching: the same for rows that do not match, for form "paper" only; by default every two rows
                of different clusters.

        Raises:
            ValueError: without any pair, for pairs beyond X, if all pairs are identical rows, or for
                unknown settings.
        """
        if self.form not in ("reference", "paper"):
            raise ValueError(f"unknown form {self.form!r}; known: reference, paper")
        rows = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        labels = None if y is None else checked_labels(y, len(rows))
        first, second = matching_pairs(pairs, labels, len(rows))
        exact = rows.astype(np.float64)
        within = scatter_of_differences(exact, first, second) / len(first)
        if not np.trace(within) > 0:
            raise ValueError("all matching pairs are of identical rows: they show nothing that changes")
        if self.form == "reference":
            self.mean_ = exact[first].mean(axis=0)
            scatter = (exact - self.mean_).T @ (exact - self.mean_) / len(exact)
        else:
            self.mean_ = exact.mean(axis=0)
            scatter = nonmatching_scatter(exact, labels, nonmatching)

        basis: FloatArray = np.eye(len(within))
        turned = exact
        singular = self.shrinkage == 0 and _singular(within, rows)
        if singular:
            # A channel that is always 0 tells nothing, and must not keep the others from being whitened.
            basis = principal_directions(rows)[1]
            turned = exact @ basis
            within, scatter = basis.T @ within @ basis, basis.T @ scatter @ basis
            singular = _singular(within, rows)
        kept = self._kept(len(within), "the number of directions in which the rows vary")
        self.shrinkage_ = self._shrinkage(singular, within, turned, first, second)
        scale = np.trace(within) / len(within)
        shrunk = (1 - self.shrinkage_) * within + self.shrinkage_ * scale * np.eye(len(within))
        gains, directions = scipy.linalg.eigh(scatter, shrunk)
        self.gains_ = gains[::-1][:kept]
        self.components_ = np.ascontiguousarray((basis @ directions)[:, ::-1][:, :kept].T)
        self.n_pairs_ = len(first)
        return self

    def _shrinkage(
        self, singular: bool, within: FloatArray, rows: FloatArray, first: IntArray, second: IntArray
    ) -> float:
        """The shrinkage to use: what is asked for, unless that is 0 and C_S cannot be inverted."""
        if self.shrinkage == "auto":
            return ledoit_wolf(within, rows, first, second)
        if isinstance(self.shrinkage, str) or not 0 <= self.shrinkage <= 1:
            raise ValueError(f"shrinkage must be a number in 0..1 or 'auto', not {self.shrinkage!r}")
        if not singular:
            return float(self.shrinkage)
        used = max(ledoit_wolf(within, rows, first, second), LEAST_SHRINKAGE)
        warnings.warn(
            f"the {len(first)} matching pairs do not differ at all in some of the {len(within)} directions "
            f"in which descriptors vary: shrinkage={used:.2g} is used instead of 0",
            stacklevel=3,
        )
        return used

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True  # or `pairs`, which scikit-learn's checks know nothing of
        return tags


def _singular(within: FloatArray, rows: FloatArray) -> bool:
    variances = scipy.linalg.eigvalsh(within)
    return bool(variances[0] <= rounding(variances, rows))
