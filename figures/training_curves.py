"""What happened in a training: loss, validation mAP and exponent after each epoch."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from figures import style
from gem_lite.fine_tuned import fine_tuned
from gem_lite.train import History

# A run is told by colour, mark and dashes.
LOOKS = (
    (style.BLUE, "o", "-"),
    (style.VERMILION, "s", "--"),
    (style.GREEN, "^", "-."),
    (style.PURPLE, "D", ":"),
)
START_P = 3.0


def with_start(values: np.ndarray, start: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Epochs and values, from epoch 0 where the value before training is known."""
    epochs = np.arange(1, len(values) + 1)
    if start is None:
        return epochs, values
    return np.append(0, epochs), np.append(start, values)


def draw(
    histories: Mapping[str, History],
    before: Mapping[str, float] | None = None,
    start_p: float = START_P,
) -> Figure:
    """Three panels over the epochs; a ring marks the epoch that was kept.

    Args:
        histories: of each run, by its name; at most four.
        before: validation mAP (0..1) of each run's network before training.
        start_p: exponent before training.

    Raises:
        ValueError: for more runs than can be told apart.
    """
    if len(histories) > len(LOOKS):
        raise ValueError(f"{len(histories)} runs; at most {len(LOOKS)} can be told apart")
    before = before or {}
    figure, (loss, validation, exponent) = plt.subplots(1, 3, figsize=(7.2, 3))
    for (name, history), (colour, mark, dashes) in zip(histories.items(), LOOKS, strict=False):
        look = {"color": colour, "marker": mark, "ls": dashes, "label": name}
        loss.plot(*with_start(history.column("loss"), None), **look)
        start = before.get(name)
        values = 100 * history.column("validation")
        validation.plot(*with_start(values, None if start is None else 100 * start), **look)
        best = history.best_epoch
        validation.plot(best, values[best - 1], "o", ms=13, mfc="none", mec=colour, mew=1.4)
        if not np.isnan(history.column("p")).all():
            exponent.plot(*with_start(history.column("p"), start_p), **look)
    for ax, title in ((loss, "loss per tuple"), (validation, "validation mAP (%)"), (exponent, "p")):
        ax.set(xlabel="epoch", title=title)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    exponent.axhline(start_p, color=style.GREY, lw=1, ls=":")
    # A small move should look small.
    low, high = exponent.get_ylim()
    exponent.set_ylim(min(low, start_p - 0.5), max(high, start_p + 0.5))
    if len(histories) > 1:
        figure.legend(
            *validation.get_legend_handles_labels(), loc="outside lower center", ncols=len(histories)
        )
    return figure


def draw_sample() -> Figure:
    """The run of ``lite``."""
    _, history = fine_tuned("lite", 0)
    return draw({"GeM": history})


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw loss, validation mAP and p over the epochs.")
