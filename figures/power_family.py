"""The generalised mean over all exponents, from the minimum to the maximum and the means with names."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from figures import style

EXAMPLE = np.array([1.0, 2.0, 2.0, 6.0])
NAMED = {"harmonic": -1.0, "geometric": 0.0, "arithmetic": 1.0, "quadratic": 2.0}


def power_mean(values: np.ndarray, p: float) -> float:
    """Generalised mean of positive numbers for any real p; the geometric mean at 0.

    >>> power_mean(np.array([1.0, 4.0]), 0.0)
    2.0
    """
    largest = values.max()
    if p == 0:
        return float(np.exp(np.log(values).mean()))
    # For p < 0 the smallest number has the largest power.
    scale = largest if p > 0 else values.min()
    return float(scale * np.mean((values / scale) ** p) ** (1 / p))


def draw(values: np.ndarray = EXAMPLE, limit: float = 20.0) -> Figure:
    """The curve over p, with minimum and maximum as its limits."""
    figure, ax = plt.subplots(figsize=(7.2, 3))
    powers = np.linspace(-limit, limit, 401)
    ax.plot(powers, [power_mean(values, p) for p in powers], color=style.BLUE)
    for name, limit_value, side in (("maximum", values.max(), "bottom"), ("minimum", values.min(), "top")):
        ax.axhline(limit_value, color=style.GREY, ls="--", lw=1)
        ax.text(
            -limit if name == "maximum" else limit,
            limit_value,
            name,
            va=side,
            color=style.GREY,
            ha="left" if name == "maximum" else "right",
        )
    for name, p in NAMED.items():
        mean = power_mean(values, p)
        ax.plot(p, mean, "o", color=style.VERMILION)
        text = f"{name}, p = {p:g}".replace("-", "−")
        ax.annotate(text, (p, mean), (12, -9), textcoords="offset points", fontsize=9)
    ax.set(xlabel="p", ylabel="generalised mean", ylim=(0.5 * values.min(), 1.1 * values.max()))
    return figure


if __name__ == "__main__":
    style.write_from_command_line(draw, "Draw the generalised mean over its exponent.")
