"""The reference code's forms: where they agree with ours, and where they do not."""

import pytest
import torch
from torch import Tensor

from gem_lite.pooling import gem
from gem_lite.reference import reference_gem, reference_l2_normalise


def maps(*shape: int) -> Tensor:
    """Non-negative maps, about half of each zero, as a ReLU leaves them."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).relu()


def gradients(form: object, x: Tensor, p: Tensor) -> tuple[Tensor, Tensor]:
    assert callable(form)
    x, p = x.clone().requires_grad_(), p.clone().requires_grad_()
    for_x, for_p = torch.autograd.grad(form(x, p).sum(), (x, p))
    return for_x, for_p


def test_the_reference_form_is_not_finite_where_ours_is() -> None:
    dead, large = torch.zeros(1, 1, 4, 4), torch.full((1, 1, 4, 4), 60.0)
    p = torch.tensor([8.0])
    assert reference_gem(dead, p).item() == 0
    assert gradients(reference_gem, dead, p)[1].isnan().all()
    assert gem(dead, p).item() == pytest.approx(1e-6)
    assert gradients(gem, dead, p)[1].item() == 0
    assert reference_gem(large, 22.0).isinf().all()
    assert gem(large, 22.0).item() == pytest.approx(60)
    assert reference_gem(large.half(), 3.0).isinf().all()
    assert gem(large.half(), 3.0).item() == pytest.approx(60)


@pytest.mark.parametrize("p", [1.0, 2.7, 3.0, 6.0])
def test_the_reference_form_agrees_in_its_range(p: float) -> None:
    x, exponent = maps(2, 3, 6, 8), torch.tensor([p])
    torch.testing.assert_close(gem(x, p), reference_gem(x, p), rtol=2e-6, atol=0)
    for ours, theirs in zip(gradients(gem, x, exponent), gradients(reference_gem, x, exponent), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_the_reference_normalisation_leaves_short_vectors_short() -> None:
    usual, short = torch.rand(3, 16), torch.tensor([[3e-6, 4e-6]])
    normalise = torch.nn.functional.normalize
    torch.testing.assert_close(reference_l2_normalise(usual), normalise(usual), rtol=2e-6, atol=0)
    assert normalise(short).norm().item() == pytest.approx(1)
    assert reference_l2_normalise(short).norm().item() == pytest.approx(5 / 6)
