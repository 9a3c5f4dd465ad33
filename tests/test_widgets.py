"""The p-slider: the browser's arithmetic (run by node) against the library, and the live control."""

import base64
import functools
import itertools
import json
import math
import re
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image
from widget_kit import element_data
from widget_kit import run_node as run_node_with

from gem_lite.seeds import stream
from gem_lite.widgets import expansion_weights_picture as weights_picture
from gem_lite.widgets import margin_picture, playground_picture
from gem_lite.widgets import whitening_plane_picture as plane_picture
from gem_lite.widgets.element import encode_numbers, encode_picture, three_digits
from gem_lite.widgets.p_slider import PSlider, strongest_channels
from gem_lite.widgets.p_slider_picture import EPS, contribution_shares, half_count, pooled

run_node = functools.partial(run_node_with, "p_slider")

EXPONENTS = [1.0, 1.02, 1.5, 2.0, 3.0, 4.6, 10.0, 33.0, 100.0, math.inf]


def feature_maps() -> dict[str, np.ndarray]:
    """Maps (12, 16) of every kind that a network may give."""
    random = stream("test_widgets", "maps").exponential(2.0, (12, 16)).astype(np.float32)
    one = np.zeros((12, 16), np.float32)
    one[3, 5] = 7.5
    return {
        "usual": np.where(random > 3, random, 0).astype(np.float32),
        "dense": random,
        "dead": np.zeros((12, 16), np.float32),
        "constant": np.full((12, 16), 0.3, np.float32),
        "one position": one,
        "two maxima": np.maximum(one, one[::-1]),
        "tiny": random * 1e-5,
        "huge": random * 1e4,
    }


def photograph(height: int = 60, width: int = 80) -> np.ndarray:
    return stream("test_widgets", "photograph").integers(0, 256, (height, width, 3), dtype=np.uint8)


def javascript(p: float) -> str:
    return "Infinity" if math.isinf(p) else repr(p)


@pytest.mark.parametrize("kind", feature_maps())
def test_the_browser_computes_what_the_library_computes(kind: str) -> None:
    channel = feature_maps()[kind]
    listed = ", ".join(javascript(p) for p in EXPONENTS)
    values = f"decodeNumbers('{encode_numbers(channel)}').map((x) => Math.max(x, {EPS}))"
    got = run_node(
        f"""[{listed}].map((p) => {{
          const values = {values}, parts = shares(values, p);
          return {{ pooled: gem(values, p), shares: Array.from(parts), half: halfCount(parts) }};
        }})"""
    )
    for p, numbers in zip(EXPONENTS, got, strict=True):
        shares = contribution_shares(channel, p)
        assert numbers["pooled"] == pytest.approx(pooled(channel, p), rel=1e-5), f"pooled value at p = {p}"
        np.testing.assert_allclose(numbers["shares"], shares.ravel(), rtol=1e-9, atol=1e-15)
        assert numbers["half"] == half_count(shares)


def test_numbers_travel_as_they_are() -> None:
    numbers = np.array([0.0, 1.0, 1 / 3, 1e-30, 65504.0, 3e38], np.float32)
    assert run_node(f"Array.from(decodeNumbers('{encode_numbers(numbers)}'))") == numbers.tolist()


def test_numbers_are_written_alike() -> None:
    draws = 10.0 ** stream("test_widgets", "digits").uniform(-9, 6, 300)
    numbers = [0.0, 1.0, 9.996, 0.9996, 99.96, 1055.9, 3.0, *draws.tolist()]
    assert run_node(f"{json.dumps(numbers)}.map(threeDigits)") == [three_digits(x) for x in numbers]
    assert run_node("threeDigits(Infinity)") == three_digits(math.inf)


def test_the_slider_runs_from_the_mean_to_the_maximum() -> None:
    exponents = run_node("Array.from({ length: STEPS + 1 }, (_, step) => exponentAt(step))")
    assert exponents[0] == 1
    assert exponents[-1] == "inf"
    assert exponents[:-1] == sorted(set(exponents[:-1])), "every step moves p"
    # Between 1 and 10, where most happens, no step is coarser than 7 %.
    fine = [p for p in exponents[:-1] if p <= 10]
    assert max(b / a for a, b in itertools.pairwise(fine)) < 1.07


def test_the_limits_are_the_mean_and_the_maximum() -> None:
    channel = feature_maps()["dense"]
    assert pooled(channel, 1.0) == pytest.approx(channel.mean(), rel=1e-5)
    assert pooled(channel, math.inf) == channel.max()
    assert contribution_shares(channel, 7.0).sum() == pytest.approx(1)
    assert half_count(contribution_shares(feature_maps()["constant"], 50.0)) == 12 * 16 // 2
    assert half_count(contribution_shares(channel, math.inf)) == 1


def usual_slider(**options: Any) -> PSlider:
    return PSlider(np.stack(list(feature_maps().values())), photograph(), **options)


def test_the_live_control_follows_the_slider_and_the_channel() -> None:
    slider = usual_slider(channels=[1, 0])
    before = bytes(slider.picture.value)
    assert before.startswith(b"\x89PNG")
    slider.slider.value = 10.0
    channel = feature_maps()["dense"]
    assert slider.pooled == [pooled(channel, 10.0)]
    assert three_digits(pooled(channel, 10.0)) in slider.readout.value
    assert bytes(slider.picture.value) != before
    slider.infinite.value = True
    assert slider.p == math.inf
    assert slider.pooled == [channel.max()]
    assert slider.slider.disabled
    slider.channel.value = 0
    assert slider.pooled == [feature_maps()["usual"].max()]
    assert "Channel 0" in slider.readout.value


@pytest.mark.parametrize("p", [1.0, 1.01, 2.92, 3.0, 100.0])
def test_the_front_end_leaves_the_starting_exponent_alone(p: float) -> None:
    """It moves a slider's value to a whole number of steps."""
    slider = usual_slider(p=p).slider
    assert slider.value == pytest.approx(p)
    steps = math.log10(p) / slider.step
    assert steps == pytest.approx(round(steps))
    assert 0 < slider.step <= 0.02


def test_the_strongest_channels_are_chosen() -> None:
    maps = np.stack([np.full((3, 4), level, np.float32) for level in (2, 9, 1, 5)])
    assert strongest_channels(maps, 3.0, count=3) == [1, 3, 0]
    assert len(usual_slider().channel.options) == 6


def test_one_output_serves_kernel_page_and_print() -> None:
    slider = usual_slider(p=2.0, channels=[1])
    bundle = slider._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == slider.model_id
    assert Image.open(BytesIO(base64.b64decode(bundle["image/png"]))).size[0] > 600
    data = element_data(bundle["text/html"])
    assert data["p"] == 2.0
    assert [channel["index"] for channel in data["channels"]] == [1]
    assert slider.description() in bundle["text/html"], "the fallback picture's alt says what it shows"
    assert "http" not in re.sub(r"data:\S+", "", bundle["text/html"]), "nothing is fetched"


def test_two_networks_are_shown_side_by_side() -> None:
    before = np.stack(list(feature_maps().values()))
    after = before[::-1].copy()
    slider = PSlider({"before": before, "after": after}, photograph(), p=2.0)
    assert [index for _, index in slider.channel.options] == strongest_channels(after, 3.0)
    slider.channel.value = 0
    assert slider.pooled == [pooled(before[0], 2.0), pooled(after[0], 2.0)]
    assert f"before, pooled value {three_digits(pooled(before[0], 2.0))}," in slider.readout.value
    assert f"after, pooled value {three_digits(pooled(after[0], 2.0))}," in slider.readout.value
    data = element_data(slider.static_html())
    assert data["networks"] == ["before", "after"]
    index = slider.channel.options[0][1]
    assert data["channels"][0]["values"] == [encode_numbers(before[index]), encode_numbers(after[index])]


def test_infinity_reaches_the_page() -> None:
    assert element_data(usual_slider(p=math.inf).static_html())["p"] is None


def test_text_cannot_break_out_of_the_page() -> None:
    words = 'a "temple" </script><q>&'
    page = usual_slider(photo_alt=words).static_html()
    assert element_data(page)["photoAlt"] == words
    assert page.count("</script>") == 2, "the data's end and the script's end"
    assert "<q>" not in page


def test_a_page_stays_small() -> None:
    """A real photograph, and the map of a network with stride 16 that saw it at 640 x 427 pixels."""
    maps = stream("test_widgets", "large").exponential(1.0, (6, 26, 40)).astype(np.float32)
    assert len(PSlider(maps, load_sample_image("china.jpg")).static_html()) < 150 * 1024


def test_pictures_are_made_smaller_never_larger() -> None:
    for longest, expected in ((40, (40, 30)), (400, (80, 60))):
        kind, _, data = encode_picture(photograph(), longest).partition(",")
        assert kind == "data:image/webp;base64"
        assert Image.open(BytesIO(base64.b64decode(data))).size == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"feature_map": np.zeros((4, 5))}, "one image's maps"),
        ({"feature_map": np.full((2, 4, 5), -1.0)}, "not negative"),
        ({"feature_map": np.full((2, 4, 5), np.nan)}, "finite"),
        ({"feature_map": {}}, "not of 0"),
        ({"feature_map": {"a": np.ones((2, 4, 5)), "b": np.ones((2, 4, 6))}}, "one shape"),
        ({"image": np.zeros((8, 8, 3))}, "uint8"),
        ({"image": np.zeros((8, 8), np.uint8)}, "uint8"),
        ({"p": 0.5}, "1 or more"),
        ({"p": math.nan}, "1 or more"),
        ({"channels": [7]}, "0 to 1"),
        ({"channels": []}, "0 to 1"),
    ],
)
def test_errors_say_what_was_wrong(change: dict[str, Any], message: str) -> None:
    arguments = {"feature_map": np.ones((2, 4, 5)), "image": photograph(), **change}
    with pytest.raises(ValueError, match=message):
        PSlider(**arguments)


def contrast_on_white(colour: str) -> float:
    """WCAG 2."""
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(1.05 / (linear @ (0.2126, 0.7152, 0.0722) + 0.05))


def test_the_pictures_colours_are_seen_on_white() -> None:
    marks = (*plane_picture.COLOURS, plane_picture.BLUE, plane_picture.RED)
    losses = (margin_picture.RIGHT, margin_picture.WRONG, margin_picture.INK, margin_picture.GREY)
    frames = (colour for colour, _ in playground_picture.LOOKS.values())
    for colour in (*marks, *losses, *weights_picture.COLOURS.values(), *frames):
        assert contrast_on_white(colour) >= 3, colour
    assert contrast_on_white("#000000") == pytest.approx(21)
