"""Local whitening: the feature vector of every position is whitened before anything is pooled."""

from torch import Tensor, nn


class LocalWhitening(nn.Linear):
    """One linear layer at every position of a feature map: (B, K, H, W) to (B, D, H, W).

    It is the last layer of a body, so that the pooling that follows stays what it is. Its output is signed,
    and GeM counts everything below its eps as eps: about half of the entries then have no say and no
    gradient. The reference code is built like this, and its networks are read as they are. With MAC or SPoC
    nothing is lost.

    Args:
        in_features, out_features, bias: K, D and whether a constant is added, as in `torch.nn.Linear`;
            ``LearnedWhitening.to_linear()`` has weights of this kind.

    >>> import torch
    >>> LocalWhitening(4, 2)(torch.zeros(1, 4, 6, 8)).shape
    torch.Size([1, 2, 6, 8])

    Source: the reference code's `lwhiten`; not in the paper. Chapter: 12_your_photographs.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps (B, K, H, W) to whitened ones (B, D, H, W)."""
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)
