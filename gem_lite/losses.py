"""Losses over training tuples: one query, its positive and its negatives, descriptors in rows.

Both losses are sums over pairs, as in the reference code, not means: the step depends on how many tuples and
negatives a batch has.
"""

from typing import NamedTuple

import torch
from torch import Tensor

QUERY, POSITIVE, NEGATIVE = -1, 1, 0


def contrastive_loss(descriptors: Tensor, labels: Tensor, margin: float = 0.7, eps: float = 1e-6) -> Tensor:
    """Contrastive loss, equation 6: ½ (Y d² + (1 - Y) max(0, margin - d)²), summed over (query, other) pairs.

    d is the distance of a descriptor to its tuple's query. The paper's form is ``eps=0``; the reference
    code's, ``eps=1e-6``, adds eps to each coordinate of query - other, so that identical descriptors are
    √D eps apart and d is not quite symmetric. The two part ways at a negative identical to its query, where d
    has no gradient: without eps it counts as zero, and the pair stays as it is; with eps the two are pushed
    apart along (1, ..., 1). The square root of a sum of squares, written out, would give NaN there.

    Args:
        descriptors: (N, D); for unit vectors d is at most 2.
        labels: (N,), each tuple one -1 (query) and then its others, 1 (positive) or 0 (negative); on a GPU
            run they may stay on the CPU, which saves waiting for the GPU.
        margin: τ; a negative farther away costs nothing.
        eps: see above.

    Returns:
        A scalar, in float32 or, for float64 descriptors, float64.

    Raises:
        ValueError: if the shapes differ or the labels do not form tuples.

    >>> x = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    >>> contrastive_loss(x, torch.tensor([-1, 1, 0, 0]), margin=1.0, eps=0.0)
    tensor(0.0056)

    Chapter: 06_training.
    """
    pairs = _pairs(descriptors, labels)
    distance = torch.linalg.vector_norm(pairs.difference + eps, dim=1)
    cost = torch.where(pairs.matching, distance, (margin - distance).clamp(min=0))
    return 0.5 * cost.square().sum()


def triplet_loss(descriptors: Tensor, labels: Tensor, margin: float = 0.1) -> Tensor:
    """Triplet loss: max(0, ‖q - p‖² - ‖q - n‖² + margin), summed over the negatives n of every tuple.

    Args:
        descriptors, labels: as for `contrastive_loss`; each tuple with exactly one positive.
        margin: by how much, in squared distance, a negative has to be farther away than the positive.

    Returns:
        A scalar, in float32 or, for float64 descriptors, float64.

    Raises:
        ValueError: as for `contrastive_loss`, and for a tuple without or with several positives.

    >>> x = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [-1.0, 0.0]])
    >>> triplet_loss(x, torch.tensor([-1, 1, 0, 0]), margin=0.5)
    tensor(0.1000)

    Chapter: 06_training.
    """
    pairs = _pairs(descriptors, labels)
    tuples_of_positives = pairs.tuple_of[pairs.matching]
    if tuples_of_positives.tolist() != list(range(pairs.tuples)):
        raise ValueError("triplet_loss needs exactly one positive (label 1) in every tuple")
    squared = pairs.difference.square().sum(1)
    to_positive = squared[pairs.matching][pairs.tuple_of]  # of the same tuple, for each pair
    cost = (to_positive - squared + margin).clamp(min=0)
    return cost[~pairs.matching].sum()


class _Pairs(NamedTuple):
    """Every (query, other) pair of a batch of tuples, in the order of the others."""

    difference: Tensor  # (pairs, D), query - other, in float32 or float64
    matching: Tensor  # (pairs,), true where the other is a positive
    tuple_of: Tensor  # (pairs,), number of its tuple
    tuples: int


def _pairs(descriptors: Tensor, labels: Tensor) -> _Pairs:
    if descriptors.ndim != 2 or labels.shape != descriptors.shape[:1]:
        shapes = f"{tuple(descriptors.shape)} and {tuple(labels.shape)}"
        raise ValueError(f"descriptors must be (N, D) and labels (N,), not {shapes}")
    is_query, matching = labels == QUERY, labels == POSITIVE
    if not (is_query | matching | (labels == NEGATIVE)).all() or not is_query[:1].all():
        raise ValueError("labels must be -1 (query), 1 (positive) or 0 (negative), a query before its others")
    if descriptors.dtype != torch.float64:
        descriptors = descriptors.float()
    tuple_of = is_query.long().cumsum(0) - 1
    queries, others = is_query.nonzero().squeeze(1), (~is_query).nonzero().squeeze(1)
    device = descriptors.device
    rows_of_queries = queries[tuple_of[others]].to(device)
    return _Pairs(
        difference=descriptors[rows_of_queries] - descriptors[others.to(device)],
        matching=matching[others].to(device),
        tuple_of=tuple_of[others].to(device),
        tuples=len(queries),
    )
