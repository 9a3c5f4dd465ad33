"""The sky behind everything: a gradient, clouds on a flat layer, and hills or roofs on the horizon."""

from functools import cache

import cv2
import numpy as np

from gem_lite.seeds import stream
from gem_lite.toytown.colours import channels, mixed, rgb
from gem_lite.toytown.rasterizer import Floats
from gem_lite.toytown.scene import View

HIGHEST_HILL = 0.12  # as a sine of the elevation
CLOUD_MAP = 512  # pixels of the layer of clouds, which repeats


@cache
def cloud_map() -> Floats:
    """Smooth noise (CLOUD_MAP, CLOUD_MAP) with mean 0 and deviation 1 that repeats without a seam.

    It has detail at all scales, less the finer it is: its spectrum falls with the frequency.
    """
    rng = stream("clouds")
    frequency = np.hypot(np.fft.fftfreq(CLOUD_MAP)[:, None], np.fft.rfftfreq(CLOUD_MAP)[None, :])
    coarse = np.clip(frequency * CLOUD_MAP, 3.0, None)  # nothing larger than a third of the map
    phases = np.exp(2j * np.pi * rng.random(frequency.shape))
    noise = np.fft.irfft2(phases * coarse**-2.0, s=(CLOUD_MAP, CLOUD_MAP))
    standard: Floats = ((noise - noise.mean()) / noise.std()).astype(np.float32)
    return standard


def smooth_step(values: Floats, low: float, high: float) -> Floats:
    """0 below ``low``, 1 above ``high``, and a smooth passage between."""
    share: Floats = np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)
    return share * share * (3 - 2 * share)


def clouds(view: View, x: Floats, y: Floats, z: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Cover and brightness of the clouds in the directions (x, y, z), which have length 1."""
    along = np.float32(CLOUD_MAP * rng.uniform(0.10, 0.17)) / (np.maximum(z, 0) + np.float32(0.12))
    start = rng.uniform(0, CLOUD_MAP, 2).astype(np.float32)
    column, row = start[0] + x * along, start[1] + y * along

    def thickness(shift_x: float, shift_y: float) -> Floats:
        places = column + np.float32(shift_x), row + np.float32(shift_y)
        found = cv2.remap(cloud_map(), *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        return np.asarray(found, np.float32)

    threshold = rng.uniform(-0.1, 1.1)
    here = thickness(0, 0)
    towards_sun = thickness(*(14 * view.light.direction[:2]))
    cover = smooth_step(here, threshold, threshold + 0.9) * np.clip(z * 6, 0, 1)
    brightness = np.clip(0.93 + 0.07 * (here - towards_sun) - 0.05 * (here - threshold), 0.72, 1.0)
    return cover, brightness.astype(np.float32)


def horizon_height(azimuth: Floats, rng: np.random.Generator) -> Floats:
    """Elevation, as a sine, of the hills or roofs in these directions (radians)."""
    frequency, phase = rng.uniform(0.5, 3, 2), rng.uniform(0, 2 * np.pi, 2)
    height = rng.uniform(0.01, 0.05) + 0.022 * np.sin(frequency[0] * 3 * azimuth + phase[0])
    height = height + 0.012 * np.sin(frequency[1] * 9 * azimuth + phase[1])
    if rng.random() < 0.5:
        roofs, houses = 0.035 * rng.random(97), rng.uniform(10, 18)
        height = height + roofs[np.floor(azimuth * houses).astype(np.int64) % 97]
    return np.asarray(height, np.float32)


def sky_colours(view: View, x: Floats, y: Floats, z: Floats) -> Floats:
    """Colours (3, H, W) seen in the directions (x, y, z), each (H, W)."""
    rng, light = stream("view", view.landmark, view.view, "sky"), view.light
    length = np.sqrt(x * x + y * y + z * z)
    x, y, z = x / length, y / length, z / length

    height = np.clip(z * np.float32(2.2), 0, 1) ** np.float32(0.7)
    cover, brightness = clouds(view, x, y, z, rng)
    white = rgb(0.80, 0.55, 0.60) if light.dusk else rgb(0.99, 0.99, 1.0)
    colour = mixed(channels(light.horizon), channels(light.zenith), height)
    colour = mixed(colour, channels(white) * brightness, np.float32(0.8) * cover)

    hills = (light.horizon * 0.62 + rgb(0.12, 0.16, 0.16)) * (0.45 if light.dusk else 1.0)
    low = z < np.float32(HIGHEST_HILL)
    low[low] = z[low] < horizon_height(np.arctan2(x[low], y[low]), rng)
    return np.where(low, channels(hills), colour)
