"""The reference code's form of what this package does otherwise; for comparison only, nothing here is used.

The reference is ``filipradenovic/cnnimageretrieval-pytorch``; these are its definitions, written anew.
What it does otherwise by a mere constant is a parameter of our function: `gem_lite.losses.contrastive_loss`
has its `eps`, `gem_lite.pooling.rmac` its `whole`.

Chapter: d_departures.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def reference_gem(x: Tensor, p: float | Tensor = 3.0, eps: float = 1e-6) -> Tensor:
    """GeM as clamp, power, average, root, in the type of the maps: (B, K, H, W) -> (B, K).

    Equal to `gem_lite.pooling.gem` where no power leaves the range of the type. Outside it the value is 0 or
    infinite and the gradient for p not a number: in float32 for an all-zero map from p of about 8.

    >>> reference_gem(torch.full((1, 1, 2, 2), 60.0), p=22.0)
    tensor([[inf]])
    """
    powers = x.clamp(min=eps).pow(p)
    return F.avg_pool2d(powers, (x.shape[-2], x.shape[-1])).pow(1.0 / p).flatten(1)


def reference_l2_normalise(x: Tensor, eps: float = 1e-6) -> Tensor:
    """Rows divided by their norm *plus* eps, where ``F.normalize`` divides by the larger of the two.

    A short vector stays short: at norm 4.5e-6 the result has norm 0.82. For the descriptors of real images
    the two differ by a relative 1e-6 or less.

    >>> reference_l2_normalise(torch.tensor([[3e-6, 4e-6]])).norm()
    tensor(0.8333)
    """
    norm: Tensor = torch.linalg.vector_norm(x, dim=1, keepdim=True)
    return x / (norm + eps)
