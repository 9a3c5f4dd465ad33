"""First form, to be replaced within the hour by the stable one: same names."""

import torch
from torch import Tensor, nn


def mac(x: Tensor) -> Tensor:
    return x.float().amax((-2, -1))


def spoc(x: Tensor) -> Tensor:
    return x.float().mean((-2, -1))


def gem(x: Tensor, p: float | Tensor = 3.0, eps: float = 1e-6) -> Tensor:
    power = torch.as_tensor(p, dtype=torch.float32, device=x.device).view(1, -1, 1, 1)
    return x.float().clamp(min=eps).pow(power).mean((-2, -1)).pow(1 / power.view(1, -1))


def rmac(x: Tensor, levels: int = 3) -> Tensor:
    raise NotImplementedError("comes within the hour")


class MAC(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return mac(x)


class SPoC(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return spoc(x)


class GeM(nn.Module):
    def __init__(self, p: float = 3.0, channels: int = 1, eps: float = 1e-6) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.full((channels,), float(p)))
        self.channels, self.eps = channels, eps

    def forward(self, x: Tensor) -> Tensor:
        return gem(x, self.p, self.eps)


class RMAC(nn.Module):
    def __init__(self, levels: int = 3) -> None:
        super().__init__()
        self.levels = levels

    def forward(self, x: Tensor) -> Tensor:
        return rmac(x, self.levels)
