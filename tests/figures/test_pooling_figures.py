"""The figures of the chapter on pooling: what they compute is right, and what they draw can be read."""

import math
from dataclasses import dataclass

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from figures import number_formats, power_mean, power_sweep
from gem_lite.evaluate import Interval
from gem_lite.extract import extract
from gem_lite.network import build_network
from gem_lite.pooling import gem
from gem_lite.seeds import stream


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_power_means_are_those_of_the_package() -> None:
    powers = np.array([1.0, 3.0, 10.0])
    x = torch.tensor(power_mean.EXAMPLE)[None, None]
    expected = [gem(x, float(p)).item() for p in powers]
    np.testing.assert_allclose(power_mean.power_means(power_mean.EXAMPLE, powers), expected, rtol=1e-5)


def test_hand_worked_example() -> None:
    assert (power_mean.EXAMPLE**3).mean() == 26
    assert power_mean.contributions(power_mean.EXAMPLE, 1.0).max() == 0.5


def test_power_mean_writes_every_value_of_the_map() -> None:
    grid = power_mean.draw().axes[0]
    assert [text.get_text() for text in grid.texts] == ["1", "0", "2", "0", "6", "1", "0", "2", "0"]


def always(value: float):
    return lambda x, p: (x * 0).sum((-2, -1)) + 0 * p + value


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        (number_formats.plain_gem, number_formats.RIGHT),
        (always(0.0), number_formats.WRONG_VALUE),
        (always(math.inf), number_formats.NOT_FINITE),
        (
            lambda x, p: number_formats.plain_gem(x, p) + (0 * x.flatten()[0]).sqrt(),
            number_formats.WRONG_GRADIENT,
        ),
    ],
    ids=["right", "wrong value", "infinite", "gradient"],
)
def test_verdicts(pooling, expected: int) -> None:
    x = number_formats.example_maps()["ordinary"]
    assert number_formats.verdict(pooling, x, 3.0, torch.float32) == expected


def test_written_form_breaks_and_package_does_not() -> None:
    written = number_formats.try_out(number_formats.plain_gem)
    package = number_formats.try_out(gem)
    assert number_formats.broken(package) == 0
    assert number_formats.broken(written) > 0
    # D1 and D2 of the reference form: float16 long before float32.
    assert number_formats.first_failure(written["float16"]) < number_formats.first_failure(written["float32"])
    assert number_formats.first_failure(package["float16"]) == math.inf


def test_exact_mean_in_logarithms() -> None:
    x = number_formats.example_maps()["ordinary"]
    assert number_formats.exact(x, 3.0) == pytest.approx(gem(x.double(), 3.0).item())


def test_number_formats_marks_every_failure_with_a_letter() -> None:
    verdicts = {"written": number_formats.try_out(number_formats.plain_gem, (1.0, 3.0, 22.0))}
    figure = number_formats.draw({"a": verdicts["written"], "b": verdicts["written"]}, (1.0, 3.0, 22.0))
    letters = [text.get_text() for text in figure.axes[0].texts if text.get_text()]
    assert len(letters) == int((verdicts["written"]["float32"] != number_formats.RIGHT).sum())


@dataclass
class SmallTest:
    images: np.ndarray
    query_rows: np.ndarray
    ground_truth: list[dict[str, list[int]]]


@pytest.fixture
def small_test() -> SmallTest:
    images = stream("test power sweep").integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
    truth = [
        {"bbx": [4, 0, 28, 32], "easy": [1], "hard": [2], "junk": [0]},
        {"bbx": [0, 0, 32, 32], "easy": [4], "hard": [5], "junk": [3]},
    ]
    return SmallTest(images, np.array([0, 3]), truth)


def test_describing_with_every_power_is_describing_with_each(small_test: SmallTest) -> None:
    net = build_network("compact", seed=3)
    powers = (1.0, 3.0, math.inf)
    database, queries = power_sweep.describe(net, small_test, powers)
    assert database.shape == (3, 6, 128)
    assert queries.shape == (3, 2, 128)
    boxes = [truth["bbx"] for truth in small_test.ground_truth]
    for row, pooling in enumerate(("spoc", "gem", "mac")):
        alone = build_network("compact", pooling, p=3.0, seed=3)
        np.testing.assert_allclose(
            database[row], extract(alone, small_test.images, progress=False), atol=2e-5
        )
        cropped = extract(alone, small_test.images[small_test.query_rows], boxes=boxes, progress=False)
        np.testing.assert_allclose(queries[row], cropped, atol=2e-5)


def test_average_precisions_have_a_row_for_each_power(small_test: SmallTest) -> None:
    vectors = F.normalize(torch.eye(6), dim=1).numpy()
    # With the first "power" every query finds its own landmark first, with the second it finds it last.
    good = vectors[[1, 4]] + vectors[[2, 5]]
    aps = power_sweep.average_precisions(np.stack([vectors] * 2), np.stack([good, -good]), small_test)
    assert aps.shape == (2, 2)
    np.testing.assert_allclose(aps[0], 1)
    assert (aps[1] < 0.5).all()


def test_difference_in_points() -> None:
    assert power_sweep.in_points(Interval(-0.028, -0.047, 0.011)) == "−2.8 (−4.7 to +1.1)"
    assert power_sweep.in_points(Interval(-0.0004, -0.0, 0.0001)) == "0.0 (0.0 to 0.0)"


def test_sweep_draws_a_column_for_each_world_and_infinity_last() -> None:
    powers = (1.0, 3.0, math.inf)
    aps = stream("test sweep").random((3, 12))
    figure = power_sweep.draw({"one": aps, "two": aps}, np.repeat(np.arange(4), 3), powers)
    assert len(figure.axes) == 4
    above = figure.axes[0]
    assert above.lines[0].get_xdata().tolist() == [1.0, 3.0]
    assert above.lines[1].get_xdata().tolist() == [power_sweep.INFINITY_AT]
    np.testing.assert_allclose(above.lines[0].get_ydata(), 100 * aps[:2].mean(1))
