"""Convolutional bodies: a compact one trained by this project, and torchvision's without their classifiers.

Whatever the body, its last layer is a ReLU: the paper's feature maps X (B, K, H, W) are non-negative, and
the generalised mean needs them to be.
"""

import copy
import difflib
from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

COMPACT_CHANNELS: tuple[int | str, ...] = (32, 48, "M", 96, "M", 128, 128)
FAMILIES = ("alexnet", "vgg", "resnet", "resnext", "wide_resnet", "densenet", "squeezenet", "convnext")


def compact_backbone(
    channels: Sequence[int | str] = COMPACT_CHANNELS, batch_norm: bool = False
) -> nn.Sequential:
    """A small VGG-like body: 3x3 convolutions with ReLU, the first of stride 2.

    Maps (B, 3, H, W) to (B, channels[-1], H/8, W/8) with the default channels. Weights come from torch's
    global generator: seed it with `gem_lite.seeds.torch_seed`.

    Args:
        channels: outputs of each convolution in turn; ``"M"`` is a 2x2 max pooling.
        batch_norm: adds a batch normalisation after each convolution, for training from scratch.

    Raises:
        ValueError: if the channels do not start and end with a convolution.

    >>> compact_backbone()(torch.zeros(1, 3, 96, 64)).shape
    torch.Size([1, 128, 12, 8])
    """
    if not channels or "M" in (channels[0], channels[-1]):
        raise ValueError(f"channels must start and end with a number of channels, not {channels!r}")
    layers: list[nn.Module] = []
    inputs = 3
    for entry in channels:
        if entry == "M":
            layers.append(nn.MaxPool2d(2))
            continue
        outputs = int(entry)
        stride = 1 if layers else 2
        layers.append(nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=not batch_norm))
        if batch_norm:
            layers.append(nn.BatchNorm2d(outputs))
        layers.append(nn.ReLU(inplace=True))
        inputs = outputs
    return nn.Sequential(*layers)


def fold_batch_norm(backbone: nn.Sequential) -> nn.Sequential:
    """A copy in evaluation mode, with each batch normalisation folded into the convolution before it.

    The function computed is the same. Fine-tuning keeps batch statistics frozen (method of the paper's
    code), so folding loses nothing and makes the body smaller and faster.

    Raises:
        ValueError: if a batch normalisation does not directly follow a convolution.
    """
    layers: list[nn.Module] = []
    for layer in copy.deepcopy(backbone).eval():
        if not isinstance(layer, nn.BatchNorm2d):
            layers.append(layer)
        elif layers and isinstance(layers[-1], nn.Conv2d):
            layers[-1] = fuse_conv_bn_eval(layers[-1], layer)
        else:
            raise ValueError("only a batch normalisation right after a convolution can be folded")
    return nn.Sequential(*layers).eval()


def known_architectures() -> list[str]:
    """``"compact"`` and the torchvision networks whose bodies can be used."""
    from torchvision import models  # two seconds, which who uses the compact body alone need not wait

    return ["compact", *(name for name in models.list_models(module=models) if name.startswith(FAMILIES))]


def check_architecture(name: str) -> None:
    """Raises ValueError for an unknown name, with the nearest known ones."""
    if name == "compact":
        return
    known = known_architectures()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        hint = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(known)}"
        raise ValueError(f"unknown architecture {name!r}; {hint}")


def torchvision_body(architecture: str) -> nn.Sequential:
    """The convolutional layers of a torchvision classifier with random weights, always ending in a ReLU.

    Layers keep torchvision's names, less the prefix ``features.``. AlexNet and VGG lose their last max
    pooling, as in the paper's code; ResNet its average pooling and classifier. DenseNet's features end in a
    batch normalisation and ConvNeXt's in a residual sum, which are signed: a ReLU is added (DenseNet's own
    classifier begins with one, ConvNeXt's does not).
    """
    from torchvision import models  # as in `known_architectures`

    classifier = models.get_model(architecture, weights=None)
    if isinstance(classifier, models.ResNet):
        return nn.Sequential(OrderedDict(list(classifier.named_children())[:-2]))
    layers = OrderedDict(classifier.get_submodule("features").named_children())
    if isinstance(classifier, models.AlexNet | models.VGG):
        layers.popitem()
    elif isinstance(classifier, models.DenseNet | models.ConvNeXt):
        layers["relu"] = nn.ReLU()
    return nn.Sequential(layers)  # SqueezeNet's last module concatenates two ReLUs: nothing to do


def feature_dim(backbone: nn.Module) -> int:
    """Number of feature maps K that a body gives, found by showing it a small black picture."""
    parameter = next(backbone.parameters())
    picture = torch.zeros(1, 3, 64, 64, dtype=parameter.dtype, device=parameter.device)
    was_training = backbone.training
    backbone.eval()
    with torch.no_grad():
        maps = backbone(picture)
    backbone.train(was_training)
    return int(maps.shape[1])
