"""Contrastive and triplet loss."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gem_lite.losses import contrastive_loss, triplet_loss

MARGINS = ["0.5", "0.7", "0.85", "1.2"]


@pytest.fixture(scope="module")
def reference(golden: Path) -> dict[str, Tensor]:
    arrays = np.load(golden / "reference.npz")
    return {
        name: torch.from_numpy(arrays[name]) for name in arrays if name.startswith(("loss", "contr", "tripl"))
    }


def batch(tuples: int, negatives: int, dim: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(tuples * (2 + negatives), dim, generator=generator, dtype=torch.float64)
    return F.normalize(x, dim=1), torch.tensor(([-1, 1] + [0] * negatives) * tuples)


def contrastive_by_definition(x: np.ndarray, labels: np.ndarray, margin: float, eps: float) -> float:
    total, query = 0.0, x[0]
    for row, label in zip(x, labels, strict=True):
        if label == -1:
            query = row
            continue
        distance = np.sqrt(((query - row + eps) ** 2).sum())
        total += 0.5 * distance**2 if label == 1 else 0.5 * max(0.0, margin - distance) ** 2
    return total


def triplet_by_definition(x: np.ndarray, labels: np.ndarray, margin: float) -> float:
    total, query, positive = 0.0, x[0], x[0]
    for row, label in zip(x, labels, strict=True):
        if label == -1:
            query = row
        elif label == 1:
            positive = row
        else:
            closer, farther = ((query - positive) ** 2).sum(), ((query - row) ** 2).sum()
            total += max(0.0, closer - farther + margin)
    return total


@pytest.mark.parametrize("margin", MARGINS)
def test_contrastive_agrees_with_the_reference(reference: dict[str, Tensor], margin: str) -> None:
    x = reference["loss_x"].clone().requires_grad_()
    loss = contrastive_loss(x, reference["loss_labels"], float(margin))
    (gradient,) = torch.autograd.grad(loss, x)
    torch.testing.assert_close(loss, reference[f"contrastive_m{margin}"], rtol=1e-6, atol=0)
    torch.testing.assert_close(gradient, reference[f"contrastive_m{margin}_grad"], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("margin", MARGINS)
def test_triplet_agrees_with_the_reference(reference: dict[str, Tensor], margin: str) -> None:
    loss = triplet_loss(reference["loss_x"], reference["loss_labels"], float(margin))
    torch.testing.assert_close(loss, reference[f"triplet_m{margin}"], rtol=1e-6, atol=0)


@given(
    tuples=st.integers(1, 6),
    negatives=st.integers(1, 6),
    dim=st.integers(1, 9),
    margin=st.floats(0.05, 2.0),
    eps=st.sampled_from([0.0, 1e-6, 1e-3]),
    seed=st.integers(0, 1000),
)
@settings(max_examples=50, deadline=None)
def test_losses_are_their_definitions(
    tuples: int, negatives: int, dim: int, margin: float, eps: float, seed: int
) -> None:
    x, labels = batch(tuples, negatives, dim, seed)
    expected = contrastive_by_definition(x.numpy(), labels.numpy(), margin, eps)
    assert contrastive_loss(x, labels, margin, eps).item() == pytest.approx(expected, rel=1e-9)
    expected = triplet_by_definition(x.numpy(), labels.numpy(), margin)
    assert triplet_loss(x, labels, margin).item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_float32_is_within_a_millionth_of_the_definition() -> None:
    x, labels = batch(tuples=8, negatives=5, dim=128)
    single, numbers = x.float(), x.numpy()
    contrastive = contrastive_loss(single, labels, 1.3).item()
    assert contrastive == pytest.approx(
        contrastive_by_definition(numbers, labels.numpy(), 1.3, 1e-6), rel=1e-6
    )
    triplet = triplet_loss(single, labels, 0.5).item()
    assert triplet == pytest.approx(triplet_by_definition(numbers, labels.numpy(), 0.5), rel=1e-6)


def test_tuples_may_differ_in_length() -> None:
    x, _ = batch(tuples=3, negatives=1, dim=5)
    labels = torch.tensor([-1, 1, 0, 0, 0, -1, 0, 1, 0])
    expected = contrastive_by_definition(x.numpy(), labels.numpy(), 1.5, 0.0)
    assert contrastive_loss(x, labels, 1.5, eps=0.0).item() == pytest.approx(expected)
    parts = triplet_loss(x[:5], labels[:5], 0.3) + triplet_loss(x[5:], labels[5:], 0.3)
    assert triplet_loss(x, labels, 0.3).item() == pytest.approx(parts.item())


@pytest.mark.parametrize("eps", [0.0, 1e-6])
def test_gradients_are_those_of_finite_differences(eps: float) -> None:
    x, labels = batch(tuples=2, negatives=3, dim=4)
    x.requires_grad_()
    assert torch.autograd.gradcheck(lambda a: contrastive_loss(a, labels, 1.2, eps), x)
    assert torch.autograd.gradcheck(lambda a: triplet_loss(a, labels, 0.4), x)


def gradient_at_identical(label: int, eps: float) -> Tensor:
    """Gradient for the second of two identical descriptors."""
    x = torch.full((2, 4), 0.5, requires_grad=True)
    contrastive_loss(x, torch.tensor([-1, label]), margin=0.7, eps=eps).backward()
    assert x.grad is not None
    return x.grad[1]


def test_identical_descriptors_have_a_finite_gradient() -> None:
    """The paper's form leaves an identical negative alone, the reference's pushes it along (1, ..., 1)."""
    assert gradient_at_identical(label=1, eps=0.0).eq(0).all()
    assert gradient_at_identical(label=0, eps=0.0).eq(0).all()
    assert gradient_at_identical(label=1, eps=1e-6).abs().max().item() < 2e-6
    # The step away from the query has length margin - d, spread evenly over the four coordinates.
    torch.testing.assert_close(
        gradient_at_identical(label=0, eps=1e-6), torch.full((4,), 0.35), rtol=1e-5, atol=0
    )


def test_the_reference_distance_is_not_symmetric_and_never_zero() -> None:
    x = torch.tensor([[0.5, 0.5], [0.501, 0.501]], dtype=torch.float64)
    labels = torch.tensor([-1, 1])
    there, back = contrastive_loss(x, labels), contrastive_loss(x.flip(0), labels)
    assert back.item() > there.item() * 1.003
    assert contrastive_loss(x, labels, eps=0.0) == contrastive_loss(x.flip(0), labels, eps=0.0)
    same = torch.ones(2, 2048, dtype=torch.float64) / 2048**0.5
    assert (2 * contrastive_loss(same, labels)).sqrt().item() == pytest.approx(4.5e-5, rel=0.01)
    assert contrastive_loss(same, labels, eps=0.0).item() == 0


@pytest.mark.parametrize("margin", [0.7, 0.75, 0.85])
def test_a_negative_costs_only_within_the_margin(margin: float) -> None:
    """On unit vectors d < margin means a cosine above 1 - margin² / 2."""
    labels = torch.tensor([-1, 0])
    for shift, costs in ((1e-3, True), (-1e-3, False)):
        cosine = torch.tensor(1 - margin**2 / 2 + shift)
        x = torch.stack([torch.tensor([1.0, 0.0]), torch.stack([cosine, (1 - cosine**2).sqrt()])])
        assert (contrastive_loss(x, labels, margin, eps=0.0).item() > 0) == costs


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_summed_in_float32(dtype: torch.dtype) -> None:
    x, labels = batch(tuples=2, negatives=3, dim=64)
    half = x.to(dtype).requires_grad_()
    loss = contrastive_loss(half, labels, 1.3) + triplet_loss(half, labels, 1.0)
    assert loss.dtype == torch.float32
    loss.backward()
    assert half.grad is not None
    assert half.grad.dtype == dtype
    expected = contrastive_loss(half.double(), labels, 1.3) + triplet_loss(half.double(), labels, 1.0)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([-1, 1, 0], "not \\(4, 2\\) and \\(3,\\)"),
        ([1, -1, 0, 0], "a query before its others"),
        ([-1, 1, 2, 0], "labels must be"),
    ],
)
def test_wrong_labels_are_refused(labels: list[int], message: str) -> None:
    for loss in (contrastive_loss, triplet_loss):
        with pytest.raises(ValueError, match=message):
            loss(torch.zeros(4, 2), torch.tensor(labels))


@pytest.mark.parametrize("labels", [[-1, 0, 0, 0], [-1, 1, 1, 0], [-1, 1, -1, 0]])
def test_triplets_need_one_positive_each(labels: list[int]) -> None:
    with pytest.raises(ValueError, match="exactly one positive"):
        triplet_loss(torch.zeros(4, 2), torch.tensor(labels))
