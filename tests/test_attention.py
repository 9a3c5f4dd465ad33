"""The split of a similarity is exact: its parts add up, and each is what its definition says."""

import pytest
import torch
from torch import Tensor, nn

from gem_lite.attention import contributions, position_shares, shares
from gem_lite.network import RetrievalNet, build_network
from gem_lite.pooling import MAC, GeM, SPoC


@pytest.fixture(scope="module")
def images() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(3, 64, 48, generator=generator), torch.rand(3, 40, 64, generator=generator)


@pytest.mark.parametrize("pooling", ["mac", "spoc", "gem"])
def test_parts_add_up_to_the_similarity_of_the_descriptors(
    pooling: str, images: tuple[Tensor, Tensor]
) -> None:
    net = build_network("compact", pooling=pooling)
    with torch.no_grad():
        a, b = (net(image[None])[0] for image in images)
    parts = contributions(net, *images)
    assert parts.similarity == pytest.approx(float(a @ b), abs=1e-5)
    for part in (parts.channels, parts.a, parts.b):
        assert float(part.sum()) == pytest.approx(parts.similarity, abs=1e-5)
    assert parts.a.shape == (8, 6)
    assert parts.b.shape == (5, 8)


def test_a_position_is_credited_with_its_power() -> None:
    maps = torch.tensor([[[1.0, 2.0], [0.0, 2.0]]])
    assert torch.allclose(position_shares(maps, SPoC())[0], torch.tensor([[0.2, 0.4], [0.0, 0.4]]))
    assert torch.allclose(position_shares(maps, GeM(2.0))[0], torch.tensor([[1.0, 4.0], [0.0, 4.0]]) / 9)
    assert torch.allclose(position_shares(maps, MAC())[0], torch.tensor([[0.0, 0.5], [0.0, 0.5]]))


def test_a_dead_channel_and_a_large_p_stay_finite() -> None:
    maps = torch.stack([torch.zeros(2, 2), torch.full((2, 2), 1e30)])
    found = position_shares(maps, GeM(100.0))
    assert torch.allclose(found, torch.full((2, 2, 2), 0.25))


def test_regions_that_cover_the_picture_share_all_of_it(images: tuple[Tensor, Tensor]) -> None:
    parts = contributions(build_network("compact"), *images)
    masks = []
    for image in images:
        mask = torch.zeros(image.shape[1:], dtype=torch.bool)
        mask[:17] = True  # cuts through a cell of 8 pixels
        masks.append(mask)
    found = shares(parts, {"top": (masks[0], masks[1]), "rest": (~masks[0], ~masks[1])})
    assert found["top"] + found["rest"] == pytest.approx(1, abs=1e-5)
    by_hand = (parts.a[:2].sum() + parts.a[2].sum() / 8 + parts.b[:2].sum() + parts.b[2].sum() / 8) / 2
    assert found["top"] == pytest.approx(float(by_hand) / parts.similarity, abs=1e-5)


def test_what_cannot_be_split_exactly_is_refused(images: tuple[Tensor, Tensor]) -> None:
    net = build_network("compact")
    net.whiten = nn.Linear(128, 128)
    with pytest.raises(ValueError, match="without whitening"):
        contributions(net, *images)
    other = RetrievalNet(net.backbone, nn.Identity())
    with pytest.raises(TypeError, match="MAC, SPoC and GeM only"):
        position_shares(torch.ones(1, 2, 2), other.pool)
