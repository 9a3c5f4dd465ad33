"""What a pooled vector is made of: the split is exact, and the count of positions means what it says."""

import math

import pytest
import torch

from figures.contributions import contribution_map, effective_positions, label_shares, pooling_of
from gem_lite.pooling import MAC, GeM, gem
from gem_lite.seeds import torch_seed


@pytest.fixture
def maps() -> torch.Tensor:
    generator = torch.Generator().manual_seed(torch_seed("test contributions"))
    return torch.rand(6, 5, 7, generator=generator)


def test_pooling_of_infinity_is_the_maximum() -> None:
    assert isinstance(pooling_of(math.inf), MAC)
    assert isinstance(pooling_of(2.0), GeM)


@pytest.mark.parametrize("p", [1.0, 3.0, 100.0, math.inf])
def test_contribution_map_adds_up_to_one(maps: torch.Tensor, p: float) -> None:
    contribution = contribution_map(maps, p)
    assert contribution.shape == (5, 7)
    assert (contribution >= 0).all()
    torch.testing.assert_close(contribution.sum(), torch.tensor(1.0))


def test_contribution_map_is_the_gradient_times_the_activation(maps: torch.Tensor) -> None:
    """Half the squared length changes with x_i by the sum over channels of f_k df_k/dx_i."""
    x = maps.clone().requires_grad_()
    pooled = gem(x[None], 3.0)[0]
    (gradient,) = torch.autograd.grad(pooled.square().sum() / 2, x)
    expected = (gradient * x).sum(0) / pooled.square().sum()
    torch.testing.assert_close(contribution_map(maps, 3.0), expected.detach())


def test_contributions_concentrate_as_p_grows(maps: torch.Tensor) -> None:
    counts = [effective_positions(contribution_map(maps[:1], p)).item() for p in (1.0, 3.0, 10.0, 100.0)]
    assert counts == sorted(counts, reverse=True)
    assert effective_positions(contribution_map(maps[:1], math.inf)).item() == pytest.approx(1)


def test_effective_positions_of_flat_shares_is_their_number() -> None:
    assert effective_positions(torch.full((3, 4), 1 / 12)).item() == pytest.approx(12)


def test_label_shares_split_contribution_and_area() -> None:
    shares = torch.tensor([[0.5, 0.5], [0.0, 0.0]])
    mask = torch.zeros(4, 4, dtype=torch.uint8)
    mask[:2, :2] = 1  # the upper left cell
    mask[2:] = 3  # the lower half
    share, area = label_shares(shares, mask)
    assert share.tolist() == [0.5, 0.5, 0.0, 0.0]
    assert area.tolist() == [0.25, 0.25, 0.0, 0.5]


def test_label_shares_of_several_maps_at_once(maps: torch.Tensor) -> None:
    shares = maps / maps.sum((-2, -1), keepdim=True)
    mask = torch.randint(0, 4, (20, 28), generator=torch.Generator().manual_seed(torch_seed("test mask")))
    together, _ = label_shares(shares, mask)
    one_by_one = torch.stack([label_shares(share, mask)[0] for share in shares])
    torch.testing.assert_close(together, one_by_one)
    torch.testing.assert_close(together.sum(-1), torch.ones(6))
