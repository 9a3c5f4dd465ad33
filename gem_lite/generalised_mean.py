"""GeM, the generalised mean of the paper (equations 3–5), computed so that no p and no activation breaks it.

Two things make the textbook form clamp -> power -> mean -> root fail: x^p overflows or underflows, and the
logarithm in the gradient for p meets zero. Here every map is divided by its maximum m first,

    f = m S^(1/p),   S = mean of u^p,   u = x / m,

so that u lies in (0, 1], its largest power is exactly 1, and S lies in [1/N, 1] for N positions. In these
terms equations 4 and 5 read (m cancels in both)

    df/dx = S^(1/p - 1) u^(p-1) / N,      df/dp = (f / p²) (p T / S - log S),   T = mean of u^p log u.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

EPS = 1e-6  # the reference code's


def gem(x: Tensor, p: float | Tensor = 3.0, eps: float = EPS) -> Tensor:
    """Generalised mean of each map, f_k = (mean of x^p_k)^(1/p_k), equation 3: (B, K, H, W) -> (B, K).

    Finite, with finite gradients, for every p from 1 to 100 and activations up to the largest of their type.
    The gradients are those of equations 4 and 5; they can be taken once, `gem_plain` is for more.

    Args:
        x: feature maps, any float type. Computed in float32, or in float64 for float64 maps.
        p: exponent, at least 1: a number, or a tensor of shape (), (1,) or (K,) that may need a gradient.
        eps: smaller activations count as eps. They get no gradient: equation 4 holds for x > eps.

    Returns:
        (B, K), in float32 also for float16 and bfloat16 maps: it is small, and the L2 norm that follows
        would overflow in float16 as soon as one value is above 255.

    Raises:
        ValueError: for a number p < 1, eps <= 0, or shapes that do not fit. The values of a tensor p are not
            looked at, since that would stop a GPU at every step; `GeM` keeps its own p in range.

    >>> x = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]])
    >>> gem(x, p=1.0), gem(x, p=3.0), gem(x, p=100.0)
    (tensor([[3.]]), tensor([[3.9791]]), tensor([[5.9174]]))

    Chapter: 03_pooling.
    """
    x = at_least_float32(x)
    exponent = _exponent(p, x, eps)
    # A hand-written gradient cannot be part of a compiled or exported graph.
    if torch.compiler.is_compiling() or torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
        return _plain(x, exponent, eps)
    pooled: Tensor = _GeneralisedMean.apply(x, exponent, eps)
    return pooled


def gem_plain(x: Tensor, p: float | Tensor = 3.0, eps: float = EPS) -> Tensor:
    """The same function as `gem` in plain tensor operations: slower, and differentiable any number of times.

    Its gradients are finite for activations up to 1e30, not up to the 3e38 of float32, since autograd
    multiplies by the maximum before it divides by it. `gem` turns into this form by itself under
    ``torch.compile``, ``torch.export`` and ``torch.jit.trace``.

    Chapter: 03_pooling.
    """
    x = at_least_float32(x)
    return _plain(x, _exponent(p, x, eps), eps)


def at_least_float32(x: Tensor) -> Tensor:
    """Feature maps (B, K, H, W) in the type in which pooling is computed: float64 if they are, else float32.

    Raises:
        ValueError: if they are not four-dimensional floats with at least one position.
    """
    if x.ndim != 4 or not x.is_floating_point() or 0 in x.shape[2:]:
        raise ValueError(f"feature maps must be (B, K, H, W) floats, not {tuple(x.shape)} of {x.dtype}")
    return x if x.dtype == torch.float64 else x.float()


def _exponent(p: float | Tensor, x: Tensor, eps: float) -> Tensor:
    """The exponent as a tensor that broadcasts over x: (1, 1, 1, 1) or (1, K, 1, 1)."""
    if eps <= 0:
        raise ValueError(
            f"eps must be positive, not {eps}: the logarithm of a dead position would be infinite"
        )
    if not isinstance(p, Tensor):
        if not p >= 1:
            raise ValueError(f"p must be at least 1 (the mean), not {p}")
        p = torch.tensor(float(p))
    if p.ndim > 1 or p.numel() not in (1, x.shape[1]):
        raise ValueError(f"p must have one value or one per map ({x.shape[1]}), not shape {tuple(p.shape)}")
    return p.to(x).reshape(1, -1, 1, 1)


def _plain(x: Tensor, p: Tensor, eps: float) -> Tensor:
    x = x.clamp(min=eps)
    # The maximum is a constant here: f(x) = m f(x / m) for every constant m, so all derivatives are right.
    maximum = x.detach().amax((-2, -1), keepdim=True)
    ratio = (x / maximum).clamp(min=torch.finfo(x.dtype).tiny)
    return (maximum * ratio.pow(p).mean((-2, -1), keepdim=True).pow(1 / p)).flatten(1)


class _GeneralisedMean(torch.autograd.Function):
    """Equations 3–5 with one logarithm and one exponential per activation.

    Large temporaries are overwritten as soon as they are no longer needed: fetching fresh memory takes longer
    than computing in it.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, p: Tensor, eps: float) -> Tensor:
        maximum = x.amax((-2, -1), keepdim=True).clamp_(min=eps)
        smallest = (eps / maximum).clamp_(min=torch.finfo(x.dtype).tiny)  # eps in units of the maximum
        ratio = torch.div(x, maximum).clamp_(min=smallest)
        log_ratio = ratio.log()
        slope = torch.mul(log_ratio, p - 1).exp_()  # u^(p-1), never through u^p / u, which may be 0 / 0
        power = ratio.mul_(slope)
        power_mean = power.mean((-2, -1), keepdim=True)
        log_mean = log_ratio.mul_(power).mean((-2, -1), keepdim=True)
        pooled = maximum * power_mean.pow(1 / p)
        # Clamped activations have no gradient. A product with 0 and 1: `masked_fill_` is many times slower.
        slope.mul_(torch.gt(x, eps, out=power))
        ctx.save_for_backward(slope, power_mean, log_mean, pooled, p)
        return pooled.flatten(1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        slope, power_mean, log_mean, pooled, p = ctx.saved_tensors
        gradient = gradient[:, :, None, None]
        for_x = for_p = None
        if ctx.needs_input_grad[0]:
            positions = slope.shape[-2] * slope.shape[-1]
            for_x = slope * (gradient * power_mean.pow(1 / p - 1) / positions)  # equation 4
        if ctx.needs_input_grad[1]:
            per_map = pooled / p**2 * (p * log_mean / power_mean - power_mean.log())  # equation 5
            for_p = (gradient * per_map).sum_to_size(p.shape)
        return for_x, for_p, None
