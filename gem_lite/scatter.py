"""Which rows match, how far matching and other rows differ, and how far such an estimate can be trusted."""

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.linalg

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.int64]
Pairs = tuple[npt.ArrayLike, npt.ArrayLike]

# Differences of pairs held at a time: 128 MiB at 2048 dimensions in float64.
PAIRS_AT_ONCE = 2**13


def rounding(variances: FloatArray, rows: FloatArray) -> float:
    """Variances up to this size are rounding errors: of computing them, and of the rows' own type.

    Args:
        variances: (D,) eigenvalues of a scatter of the rows, computed in float64.
        rows: (N, D), as they came.
    """
    computing = variances.max(initial=0) * max(rows.shape) * np.finfo(np.float64).eps
    storing = (np.abs(rows).max() * np.finfo(rows.dtype).eps) ** 2
    return float(computing + storing)


def principal_directions(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Directions in which rows (N, D) vary, most variance first: variances (r,) and directions (D, r)."""
    centred = rows.astype(np.float64)
    centred -= centred.mean(axis=0)
    variances, directions = scipy.linalg.eigh(centred.T @ centred / len(rows))
    varying = np.flatnonzero(variances > rounding(variances, rows))[::-1]
    return variances[varying], directions[:, varying]


def checked_labels(y: npt.ArrayLike, n_rows: int) -> npt.NDArray[Any]:
    labels = np.asarray(y)
    if labels.shape != (n_rows,):
        raise ValueError(f"y must be one cluster for each of the {n_rows} rows, not of shape {labels.shape}")
    return labels


def matching_pairs(
    pairs: Pairs | None, labels: npt.NDArray[Any] | None, n_rows: int
) -> tuple[IntArray, IntArray]:
    """Rows of the matching pairs: those given, or every two rows of a cluster."""
    if pairs is not None:
        return checked_pairs(pairs, n_rows)
    if labels is None:
        raise ValueError(
            "learned whitening requires y to be passed, but the target y is None: give the cluster of each "
            "row as y, or matching rows as pairs=(q, p)"
        )
    first, second = [], []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        left, right = np.triu_indices(len(members), k=1)
        first.append(members[left])
        second.append(members[right])
    if not sum(map(len, first)):
        raise ValueError("no two rows have the same cluster: there is no matching pair to learn from")
    return np.concatenate(first), np.concatenate(second)


def checked_pairs(pairs: Pairs, n_rows: int) -> tuple[IntArray, IntArray]:
    first, second = (np.asarray(rows) for rows in pairs)
    if first.ndim != 1 or first.shape != second.shape or not len(first):
        raise ValueError(
            f"pairs must be two equally long lists of rows, not of shape {first.shape} and {second.shape}"
        )
    both = np.concatenate([first, second])
    if both.dtype.kind not in "iu" or both.min() < 0 or both.max() >= n_rows:
        raise ValueError(f"pairs must be rows of X, whole numbers from 0 to {n_rows - 1}")
    return first.astype(np.int64), second.astype(np.int64)


def scatter_of_differences(rows: FloatArray, first: IntArray, second: IntArray) -> FloatArray:
    """Sum of (a - b)(a - b)ᵀ over pairs of rows, (D, D)."""
    total = np.zeros((rows.shape[1], rows.shape[1]))
    for start in range(0, len(first), PAIRS_AT_ONCE):
        part = slice(start, start + PAIRS_AT_ONCE)
        difference = rows[first[part]] - rows[second[part]]
        total += difference.T @ difference
    return total


def nonmatching_scatter(rows: FloatArray, labels: npt.NDArray[Any] | None, pairs: Pairs | None) -> FloatArray:
    """Mean of (a - b)(a - b)ᵀ over non-matching pairs: those given, or all rows of different clusters."""
    if pairs is not None:
        first, second = checked_pairs(pairs, len(rows))
        return scatter_of_differences(rows, first, second) / len(first)
    if labels is None:
        raise ValueError(
            "form 'paper' needs to know what does not match: give y, or nonmatching=(rows, rows)"
        )
    # Over all pairs of n rows the sum is n times their scatter about their mean. Clusters' own go off.
    total = _all_pairs(rows)
    count = len(rows) * (len(rows) - 1) // 2
    for label in np.unique(labels):
        members = rows[labels == label]
        total -= _all_pairs(members)
        count -= len(members) * (len(members) - 1) // 2
    if count == 0:
        raise ValueError("all rows are of one cluster: there is no pair that does not match")
    return total / count


def _all_pairs(rows: FloatArray) -> FloatArray:
    centred = rows - rows.mean(axis=0)
    return np.asarray(len(rows) * centred.T @ centred)


def ledoit_wolf(within: FloatArray, rows: FloatArray, first: IntArray, second: IntArray) -> float:
    """Ledoit and Wolf's shrinkage of `within`, the mean of (a - b)(a - b)ᵀ over pairs.

    The same as scikit-learn's ``ledoit_wolf_shrinkage`` of the differences with their mean taken as 0, which
    would need all of the differences at once.

    Source: Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices" (2004).
    Chapter: 08_whitening.
    """
    fourth_powers = 0.0
    for start in range(0, len(first), PAIRS_AT_ONCE):
        part = slice(start, start + PAIRS_AT_ONCE)
        squares = ((rows[first[part]] - rows[second[part]]) ** 2).sum(axis=1)
        fourth_powers += float((squares**2).sum())
    size, pairs = len(within), len(first)
    # How far the estimate may be off by chance, and how far it is from a multiple of the identity.
    chance = (fourth_powers / pairs - (within**2).sum()) / pairs
    structure = (within**2).sum() - np.trace(within) ** 2 / size
    return float(np.clip(chance / structure, 0, 1)) if structure > 0 else 0.0
