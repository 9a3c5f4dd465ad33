"""Where the plain form of GeM breaks: number formats, kinds of feature map and exponents, each tried out."""

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from torch import Tensor

from figures import style
from gem_lite.pooling import gem

POWERS = (1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 22.0, 40.0, 100.0)
FORMATS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
TOLERANCE = 0.02  # relative; bfloat16 itself keeps between two and three digits
RIGHT, WRONG_GRADIENT, WRONG_VALUE, NOT_FINITE = range(4)
VERDICTS = ("right", "value right, a gradient is not finite", "value wrong", "value not finite")
COLOURS = (style.PALE, style.SKY, style.ORANGE, style.VERMILION)
LETTERS = ("", "g", "x", "∞")  # colour alone must not carry the verdict

Pooling = Callable[[Tensor, Tensor], Tensor]


def plain_gem(x: Tensor, p: Tensor, eps: float = 1e-6) -> Tensor:
    """Equation 3 as it is written, in whatever type comes in: (B, K, H, W) to (B, K)."""
    return x.clamp(min=eps).pow(p).mean((-2, -1)).pow(1 / p)


def example_maps(side: int = 12) -> dict[str, Tensor]:
    """Maps (1, 1, side, side): responses up to 3, one faint response, responses up to 60, a dead channel."""
    ordinary = torch.linspace(0, 3, side * side).view(1, 1, side, side)
    faint = torch.zeros(1, 1, side, side)
    faint[0, 0, 0, 0] = 0.01
    return {"ordinary": ordinary, "faint": faint, "loud": 20 * ordinary, "dead": torch.zeros_like(ordinary)}


def exact(x: Tensor, p: float, eps: float = 1e-6) -> float:
    """The generalised mean of one map through logarithms in float64, which neither over- nor underflow."""
    logs = p * x.double().clamp(min=eps).log().flatten()
    return float(torch.exp((torch.logsumexp(logs, 0) - np.log(logs.numel())) / p))


def verdict(pooling: Pooling, x: Tensor, p: float, number_format: torch.dtype) -> int:
    """Tries `pooling` on one map in one number format: value against float64, gradients for finiteness."""
    maps = x.detach().to(number_format, copy=True).requires_grad_()
    power = torch.tensor(p, dtype=number_format, requires_grad=True)
    value = pooling(maps, power)
    value.sum().backward()
    truth = exact(maps.detach(), p)
    if not torch.isfinite(value).all():
        return NOT_FINITE
    if abs(value.item() - truth) > TOLERANCE * truth:
        return WRONG_VALUE
    gradients = (maps.grad, power.grad)
    finite = all(g is not None and bool(torch.isfinite(g).all()) for g in gradients)
    return RIGHT if finite else WRONG_GRADIENT


def try_out(pooling: Pooling, powers: Sequence[float] = POWERS) -> dict[str, np.ndarray]:
    """Verdicts (maps, powers) of one form of GeM for each number format."""
    maps = example_maps().values()
    return {
        name: np.array([[verdict(pooling, x, p, number_format) for p in powers] for x in maps])
        for name, number_format in FORMATS.items()
    }


def broken(verdicts: Mapping[str, np.ndarray]) -> int:
    """In how many cells of what `try_out` gave a form of GeM is not right."""
    return sum(int((cells != RIGHT).sum()) for cells in verdicts.values())


def first_failure(cells: np.ndarray, powers: Sequence[float] = POWERS) -> float:
    """Smallest exponent tried at which some map (row of `cells`) breaks; inf where none does."""
    fails = (cells != RIGHT).any(axis=0)
    return powers[int(fails.argmax())] if fails.any() else float("inf")


def draw(
    verdicts: Mapping[str, Mapping[str, np.ndarray]] | None = None, powers: Sequence[float] = POWERS
) -> Figure:
    """One table of coloured cells for each form (columns) and number format (rows).

    Args:
        verdicts: form of GeM to what `try_out` gave; computed for the plain form and the package if absent.
        powers: exponents that were tried.
    """
    if verdicts is None:
        verdicts = {"as written": try_out(plain_gem, powers), "gem_lite.pooling.gem": try_out(gem, powers)}
    names = list(example_maps())
    figure, axes = plt.subplots(len(FORMATS), len(verdicts), figsize=(7.4, 5.4), sharex=True, sharey=True)
    for column, (form, by_format) in enumerate(verdicts.items()):
        for ax, (number_format, cells) in zip(axes[:, column], by_format.items(), strict=True):
            ax.imshow(cells, cmap=ListedColormap(COLOURS), vmin=-0.5, vmax=3.5, aspect="auto")
            for (row, step), code in np.ndenumerate(cells):
                ax.text(step, row, LETTERS[code], ha="center", va="center", fontsize=9)
            ax.set_title(f"{form}, {number_format}")
            ax.set_xticks(range(len(powers)), labels=[f"{p:g}" for p in powers])
            ax.set_yticks(range(len(names)), labels=names)
            ax.grid(False)
            ax.tick_params(length=0)
        axes[-1, column].set_xlabel("p")
    keys = [
        Patch(facecolor=colour, edgecolor=style.GREY, label=f"{letter}  {text}".strip())
        for colour, letter, text in zip(COLOURS, LETTERS, VERDICTS, strict=True)
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=2)
    return figure


if __name__ == "__main__":
    style.write_from_command_line(draw, "Draw where the plain form of GeM breaks.")
