"""The retrieval network as a function from images to descriptors."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gem_lite.network import RetrievalNet, build_network, compact_backbone
from gem_lite.pooling import GeM, gem


def pictures(count: int = 2, height: int = 64, width: int = 80) -> Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(0))


def test_descriptors_are_pooled_maps_of_normalised_images() -> None:
    net = build_network("compact", p=2.5)
    images = pictures()
    maps = net.backbone((images - 0.52) * 4)
    torch.testing.assert_close(net.feature_maps(images), maps)
    assert maps.shape == (2, 128, 8, 10)
    assert maps.min() >= 0
    torch.testing.assert_close(net(images), F.normalize(gem(maps, 2.5), dim=1))


@pytest.mark.parametrize("pooling", ["gem", "mac", "spoc", "rmac"])
def test_descriptors_have_unit_length(pooling: str) -> None:
    net = build_network("compact", pooling)
    descriptors = net(pictures(3))
    assert descriptors.shape == (3, net.dim) == (3, 128)
    assert descriptors.dtype == torch.float32
    torch.testing.assert_close(descriptors.norm(dim=1), torch.ones(3))


def test_an_image_is_described_alike_alone_and_in_a_batch() -> None:
    net = build_network("compact")
    images = pictures(3)
    torch.testing.assert_close(net(images)[1:2], net(images[1:2]), rtol=1e-5, atol=1e-6)


def test_whitening_follows_the_first_normalisation() -> None:
    net = build_network("compact")
    plain = net(pictures())
    net.whiten = nn.Linear(128, 16)
    assert net.dim == 16
    torch.testing.assert_close(net(pictures()), F.normalize(net.whiten(plain), dim=1))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_float_types_give_float32_or_float64(dtype: torch.dtype) -> None:
    net = build_network("compact")
    net.whiten = nn.Linear(128, 16)
    expected = net(pictures())
    descriptors = net.to(dtype)(pictures().to(dtype))
    assert descriptors.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    tolerance = {torch.float16: 1e-2, torch.bfloat16: 5e-2, torch.float64: 1e-5}[dtype]
    torch.testing.assert_close(descriptors.float(), expected, rtol=0, atol=tolerance)


def test_mixed_precision_gives_float32_descriptors() -> None:
    net = build_network("compact")
    net.whiten = nn.Linear(128, 16)
    with torch.autocast("cpu", torch.bfloat16):
        descriptors = net(pictures())
    assert descriptors.dtype == torch.float32
    torch.testing.assert_close(descriptors, net(pictures()), rtol=0, atol=2e-2)


def test_mean_and_std_are_per_colour() -> None:
    net = RetrievalNet(nn.Identity(), GeM(1.0), mean=(0.1, 0.2, 0.3), std=(1.0, 2.0, 4.0))
    maps = net.feature_maps(torch.full((1, 3, 2, 2), 0.5))
    torch.testing.assert_close(maps[0, :, 0, 0], torch.tensor([0.4, 0.15, 0.05]))


@pytest.mark.parametrize(
    "images", [torch.zeros(3, 8, 8), torch.zeros(1, 1, 8, 8), torch.zeros(1, 3, 8, 8, dtype=torch.uint8)]
)
def test_what_is_no_batch_of_images_is_refused(images: Tensor) -> None:
    net = RetrievalNet(compact_backbone(), GeM())
    with pytest.raises(ValueError, match=r"must be \(B, 3, H, W\) floats in 0..1"):
        net(images)


def test_everything_learns() -> None:
    net = build_network("compact")
    net.train()
    net(pictures())[0].dot(net(pictures().flip(3))[1]).backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.ne(0).any(), name
