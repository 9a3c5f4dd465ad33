"""The figures of the chapter on feature maps, and of surfaces: what they compute, on small known inputs."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from figures import channels, concentration, feature_maps, surface_shares
from figures.overlay import Cell, draw_rows
from figures.source import source
from gem_lite import attention
from gem_lite.network import build_network
from gem_lite.seeds import stream
from gem_lite.toytown.dataset import ImageSet
from gem_lite.toytown.renderer import CLUTTER, GROUND, LANDMARK, SKY
from gem_lite.toytown.scene import World


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


class OneColour(torch.nn.Module):
    """A body whose channels are the colours of the picture, one cell for every 8 x 8 pixels."""

    mean = torch.zeros(3)  # tells where the network is

    def feature_maps(self, images: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.avg_pool2d(images, 8)


@pytest.fixture
def quartered() -> ImageSet:
    """Two pictures of four quarters; clutter is red, landmark green, the rest black."""
    masks = np.zeros((2, 32, 32), dtype=np.uint8)
    for (rows, columns), label in zip(
        ((0, 0), (0, 16), (16, 0), (16, 16)), (SKY, LANDMARK, GROUND, CLUTTER), strict=True
    ):
        masks[:, rows : rows + 16, columns : columns + 16] = label
    images = np.zeros((2, 32, 32, 3), dtype=np.uint8)
    images[..., 0] = 250 * (masks == CLUTTER)
    images[..., 1] = 125 * (masks == LANDMARK)
    numbers = np.arange(2)
    return ImageSet(images, masks, numbers, numbers, np.zeros((2, 1), bool), np.ones(2, np.float32), World())


def test_maps_of_one_picture() -> None:
    net = build_network("compact", seed=1)
    image = stream("test maps").integers(0, 256, (32, 48, 3), dtype=np.uint8)
    maps = feature_maps.maps_of(net, image)
    assert maps.shape == (128, 4, 6)
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
    torch.testing.assert_close(maps, net.feature_maps(pixels)[0])


def test_surfaces_of_a_vector_that_prefers_the_strong(quartered: ImageSet) -> None:
    density = surface_shares.measure(OneColour(), quartered, range(2), powers=(1.0, 3.0))
    assert density.shape == (2, 4)
    # f is 250 : 125 for clutter and landmark, a quarter of the area each: squares 4 : 1, whatever p is.
    np.testing.assert_allclose(density[:, CLUTTER], 4 * 0.8, rtol=1e-3)
    np.testing.assert_allclose(density[:, LANDMARK], 4 * 0.2, rtol=1e-3)


def test_channels_by_surface(quartered: ImageSet) -> None:
    density = channels.surface_density(OneColour(), quartered, range(2))
    red, green, _ = density
    assert red[CLUTTER].item() == pytest.approx(4, rel=1e-3)
    assert green[LANDMARK].item() == pytest.approx(4, rel=1e-3)
    maps = feature_maps.maps_of(OneColour(), quartered.images[0])
    assert channels.strongest_channels(maps, 2) == [0, 1]


def test_concentration_falls_and_ends_at_one_position() -> None:
    maps = torch.from_numpy(stream("test concentration").random((5, 6, 6))).float()
    channel, vector = concentration.measure([maps], powers=(1.0, 3.0, 10.0))
    assert channel == sorted(channel, reverse=True)
    assert vector == sorted(vector, reverse=True)
    assert all(whole > one for one, whole in zip(channel, vector, strict=True))


def test_dead_channels_do_not_count_in_the_concentration() -> None:
    maps = torch.from_numpy(stream("test dead").random((3, 6, 6))).float()
    with_dead = torch.cat([maps, torch.zeros(4, 6, 6)])
    assert concentration.measure([with_dead], (3.0,))[0] == pytest.approx(
        concentration.measure([maps], (3.0,))[0]
    )


def test_rows_of_cells() -> None:
    picture = np.zeros((40, 60, 3), dtype=np.uint8)
    heat = torch.tensor([[0.0, 1.0]])
    figure = draw_rows([[Cell(picture, title="as it is"), Cell(picture, heat)]] * 2, ["upper", "lower"])
    assert len(figure.axes) == 4
    # Where a title stands is a matter of the style that another test may have set.
    assert "as it is" in [figure.axes[0].get_title(loc=place) for place in ("left", "center")]
    assert [figure.axes[row].get_ylabel() for row in (0, 2)] == ["upper", "lower"]


def test_a_map_of_zeros_is_drawn_without_dividing_by_zero() -> None:
    picture = np.zeros((20, 20, 3), dtype=np.uint8)
    figure = draw_rows([[Cell(picture, torch.zeros(2, 2))]])
    assert np.isfinite(figure.axes[0].images[-1].get_array()).all()


def test_feature_maps_draws_a_column_for_each_power() -> None:
    picture = np.zeros((20, 20, 3), dtype=np.uint8)
    maps = torch.from_numpy(stream("test columns").random((4, 3, 3))).float()
    assert len(feature_maps.draw([picture], [maps], powers=(1.0, 3.0)).axes) == 3
    assert len(feature_maps.draw_large(picture, {"a": maps, "b": maps}).axes) == 12


def test_source_is_the_packages_own_text() -> None:
    text = source(feature_maps.maps_of).data
    assert text.startswith("````python\ndef maps_of(")
    code, _, place = text.rpartition("\n````\n\n")
    assert code.endswith("return net.feature_maps(pixels.to(net.mean.device))[0].cpu()")
    assert place.startswith("*From* `figures/feature_maps.py`, lines ")


def test_the_place_of_a_decorated_function_is_its_own(root: Path) -> None:
    shown = source(attention.contributions)
    _, file, first, last = shown.metadata["shown_source"][0]
    assert file == "gem_lite/attention.py"
    lines = (root / file).read_text(encoding="utf8").splitlines()[first - 1 : last]
    assert lines[0] == "@torch.no_grad()"
    assert "\n".join(lines) in shown.data
