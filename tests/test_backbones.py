"""Bodies of networks."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision import models

from gem_lite.backbones import (
    check_architecture,
    compact_backbone,
    feature_dim,
    fold_batch_norm,
    known_architectures,
    torchvision_body,
)
from gem_lite.weights import load_body

# What the classifier does with the maps of its body, or what its features are: one or the other pins the cut.
HEADS: dict[str, Callable[[nn.Module, Tensor], Tensor]] = {
    "alexnet": lambda net, maps: net.classifier(net.avgpool(F.max_pool2d(maps, 3, 2)).flatten(1)),
    "vgg11": lambda net, maps: net.classifier(net.avgpool(F.max_pool2d(maps, 2)).flatten(1)),
    "vgg11_bn": lambda net, maps: net.classifier(net.avgpool(F.max_pool2d(maps, 2)).flatten(1)),
    "resnet18": lambda net, maps: net.fc(maps.mean((2, 3))),
    "resnet50": lambda net, maps: net.fc(maps.mean((2, 3))),
    "resnext50_32x4d": lambda net, maps: net.fc(maps.mean((2, 3))),
    "densenet121": lambda net, maps: net.classifier(maps.mean((2, 3))),
    "squeezenet1_0": lambda net, maps: net.classifier(maps).flatten(1),
    "squeezenet1_1": lambda net, maps: net.classifier(maps).flatten(1),
}
DIMS = {
    "alexnet": 256,
    "vgg11": 512,
    "vgg11_bn": 512,
    "resnet18": 512,
    "resnet50": 2048,
    "resnext50_32x4d": 2048,
    "densenet121": 1024,
    "squeezenet1_0": 512,
    "squeezenet1_1": 512,
    "convnext_tiny": 768,
}
SLOW = {"vgg11", "vgg11_bn", "resnet50", "resnext50_32x4d", "densenet121", "convnext_tiny"}


def bodies() -> list[object]:
    return [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in DIMS]


@pytest.mark.parametrize("name", bodies())
def test_a_body_is_the_classifier_before_its_head(name: str) -> None:
    torch.manual_seed(0)
    classifier = models.get_model(name, weights=None).eval()
    body = torchvision_body(name).eval()
    load_body(body, classifier.state_dict(), name, source="the test")
    images = torch.randn(2, 3, 96, 64)
    with torch.no_grad():
        maps = body(images)
        assert maps.ndim == 4
        assert maps.shape[:2] == (2, DIMS[name])
        assert maps.min() >= 0
        assert maps.max() > 0
        assert feature_dim(body) == DIMS[name]
        if name == "convnext_tiny":  # its own head begins with a layer norm over signed features
            torch.testing.assert_close(maps, classifier.features(images).relu())
        else:
            torch.testing.assert_close(
                HEADS[name](classifier, maps), classifier(images), rtol=1e-4, atol=1e-5
            )


def test_the_compact_body_is_built_as_told() -> None:
    body = compact_backbone((8, "M", 16, 24), batch_norm=False)
    kinds = [type(layer).__name__ for layer in body]
    assert kinds == ["Conv2d", "ReLU", "MaxPool2d", "Conv2d", "ReLU", "Conv2d", "ReLU"]
    assert [layer.stride for layer in body if isinstance(layer, nn.Conv2d)] == [(2, 2), (1, 1), (1, 1)]
    assert feature_dim(body) == 24
    assert body(torch.zeros(1, 3, 32, 48)).shape == (1, 24, 8, 12)


@pytest.mark.parametrize("channels", [(), ("M", 8), (8, "M")])
def test_a_body_begins_and_ends_with_a_convolution(channels: tuple[int | str, ...]) -> None:
    with pytest.raises(ValueError, match="must start and end with a number"):
        compact_backbone(channels)


def test_folding_batch_norm_changes_nothing_but_the_layers() -> None:
    torch.manual_seed(0)
    body = compact_backbone((8, "M", 16), batch_norm=True).train()
    for _ in range(3):  # so that the running statistics are not those of the start
        body(torch.randn(4, 3, 32, 32) * 3 + 1)
    for layer in body:
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1, 0.3)
            nn.init.normal_(layer.bias)
    folded = fold_batch_norm(body)
    assert body.training
    assert not folded.training
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in folded)
    images = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(folded(images), body.eval()(images), rtol=1e-5, atol=1e-5)
    assert not {p.data_ptr() for p in folded.parameters()} & {p.data_ptr() for p in body.parameters()}


def test_a_batch_norm_elsewhere_cannot_be_folded() -> None:
    with pytest.raises(ValueError, match="right after a convolution"):
        fold_batch_norm(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4)))


def test_unknown_architectures_are_refused_with_the_nearest_known() -> None:
    with pytest.raises(ValueError, match="'resnet5'; did you mean resnet50"):
        check_architecture("resnet5")
    with pytest.raises(ValueError, match="known: compact, alexnet"):
        check_architecture("quux")
    with pytest.raises(ValueError, match="unknown architecture"):
        check_architecture("maskrcnn_resnet50_fpn")


def test_all_the_families_of_the_paper_are_known() -> None:
    known = known_architectures()
    assert {
        "compact",
        "alexnet",
        "vgg16",
        "resnet101",
        "densenet161",
        "squeezenet1_1",
        "convnext_base",
    } <= set(known)
    assert not any("rcnn" in name or name.startswith(("vit", "efficientnet")) for name in known)
