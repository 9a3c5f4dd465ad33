"""What a photograph of Toytown depends on: the world's parameters, and one view's camera, light and clutter.

Everything follows from (landmark, view, world), each part from a random stream of its own: a world that
differs only in its clutter has the same cameras and the same light, and a view can be rendered at any size.
"""

from dataclasses import dataclass

import numpy as np

from gem_lite.seeds import stream
from gem_lite.toytown.camera import Camera, look_at
from gem_lite.toytown.canvas import Array
from gem_lite.toytown.colours import rgb
from gem_lite.toytown.ground import GROUNDS
from gem_lite.toytown.landmark import Landmark
from gem_lite.toytown.landmark import landmark as building_of
from gem_lite.toytown.sprites import CLASSES, NAMES, VARIANTS


@dataclass(frozen=True)
class World:
    """The parameters of the world; the defaults were fixed before the first network was fine-tuned.

    Raises:
        ValueError: for an empty range, or a world without style families.

    Chapter: 02_toytown.
    """

    clutter: tuple[int, int] = (0, 3)  # fewest and most objects between camera and landmark
    clutter_size: float = 1.0  # relative to their true size
    azimuth: float = 50.0  # degrees to either side of the landmark's front
    fill: tuple[float, float] = (0.62, 1.35)  # the landmark's share of the image's side
    aim: float = 0.14  # how far from its middle the camera points, in landmark sizes
    roll: float = 4.0  # degrees: two standard deviations
    dusk: float = 0.06  # share of the views
    light: float = 0.6  # how much exposure, colour and brightness vary
    families: int = 12  # of styles
    individuality: float = 1.0  # how far landmarks depart from their family

    def __post_init__(self) -> None:
        for name in ("clutter", "fill"):
            low, high = getattr(self, name)
            if not 0 <= low <= high or (name == "fill" and low == 0):
                raise ValueError(f"{name} must be two positive numbers, the smaller first, got {(low, high)}")
        if self.families < 1:
            raise ValueError(f"a world needs at least one style family, got {self.families}")


@dataclass(frozen=True, eq=False)
class Light:
    """Colours are RGB factors; ``sun`` lights what faces ``direction``, ``sky`` lights everything."""

    direction: Array  # towards the sun
    sun: Array
    sky: Array
    zenith: Array  # colour of the sky above
    horizon: Array  # colour of the sky at the horizon, and of the haze
    haze: float
    dusk: bool
    clear: bool  # casts shadows
    gain: Array
    gamma: float
    noise: float  # standard deviation of the sensor's noise


@dataclass(frozen=True)
class Clutter:
    """An object on the ground at (x, y), like a cardboard figure turned by ``yaw`` from the camera."""

    name: str
    variant: int
    x: float
    y: float
    yaw: float  # radians
    scale: float


@dataclass(frozen=True, eq=False)
class View:
    """One photograph, before it is taken."""

    landmark: int
    view: int
    world: World
    camera: Camera
    light: Light
    clutter: tuple[Clutter, ...]
    ground: int

    def building(self) -> Landmark:
        """The landmark that the view shows."""
        return building_of(self.landmark, self.world.families, self.world.individuality)


def sample_camera(building: Landmark, world: World, rng: np.random.Generator) -> tuple[Camera, float]:
    """A camera in front of the building, and its azimuth in radians."""
    size = max(building.right - building.left, building.top * 1.1)
    azimuth = np.radians(world.azimuth) * rng.uniform(-1, 1)
    focal = rng.uniform(1.0, 1.7)
    fill = np.exp(rng.uniform(*np.log(world.fill)))
    distance = focal * size / fill
    height = rng.uniform(1.5, 3.2) + (rng.random() < 0.2) * rng.uniform(2, 9)
    centre = np.array([np.sin(azimuth) * distance, -np.cos(azimuth) * distance, height])
    # The closer the view, the further it may stray from the middle.
    closeness = max(0.0, fill - 0.8)
    stray_x = size * (world.aim + 0.25 * closeness) * 0.6 * rng.uniform(-1, 1)
    stray_z = (world.aim + 0.2 * closeness) * 0.8 * rng.uniform(-1, 1)
    target = np.array([(building.left + building.right) / 2 + stray_x, 0.0, building.top * (0.46 + stray_z)])
    roll = np.radians(rng.normal(0, world.roll / 2))
    return Camera(look_at(centre, target, roll), centre, focal), float(azimuth)


def sample_light(azimuth: float, world: World, rng: np.random.Generator) -> Light:
    """Sun, overcast, golden hour or dusk; the sun stands behind the camera, within 80 degrees."""
    chance, strength = rng.random(3), world.light
    dusk = bool(chance[0] < world.dusk)
    overcast = not dusk and bool(chance[1] < 0.25)
    golden = not dusk and not overcast and bool(chance[2] < 0.22)
    around = azimuth + np.pi + np.radians(rng.uniform(-80, 80))
    height = np.radians(rng.uniform(10, 18) if golden else rng.uniform(25, 60))
    direction = np.array([-np.sin(around) * np.cos(height), np.cos(around) * np.cos(height), np.sin(height)])
    sun = rgb(1 + 0.25 * strength, 0.96, 1 - 0.4 * strength) if golden else rgb(1.06, 1.0, 0.92)
    sun = sun * rng.uniform(0.62, 0.85)
    sky = rgb(0.54, 0.56, 0.60) * (1 + strength * rng.uniform(-0.18, 0.15))
    zenith, horizon = rgb(0.30, 0.52, 0.84) * rng.uniform(0.85, 1.1), rgb(0.80, 0.89, 0.96)
    if golden:
        horizon = rgb(1.0, 0.82, 0.62)
    if overcast:
        sun, sky = 0.25 * rgb(1.06, 1.0, 0.92), sky + 0.28
        zenith, horizon = rgb(0.62, 0.68, 0.75), rgb(0.86, 0.88, 0.90)
    if dusk:
        sun, sky = rgb(0, 0, 0), rgb(0.24, 0.272, 0.416)
        zenith, horizon = rgb(0.10, 0.13, 0.32), rgb(0.86, 0.52, 0.44)
    exposure = 1.08 * np.exp(strength * rng.normal(0, 0.14))
    return Light(
        direction=direction,
        sun=sun,
        sky=sky,
        zenith=zenith,
        horizon=horizon,
        haze=rng.uniform(0, 0.25),
        dusk=dusk,
        clear=not dusk and not overcast,
        gain=exposure * np.exp(strength * rng.normal(0, 0.05, 3)),
        gamma=float(np.exp(strength * rng.normal(0, 0.12))),
        noise=rng.uniform(0.004, 0.016),
    )


def flat(direction: Array) -> Array:
    """The horizontal part of a direction, of length 1."""
    level = direction * (1, 1, 0)
    return level / np.linalg.norm(level)


def across(camera: Camera, item: Clutter) -> Array:
    """The horizontal direction (3,) along which an object stands: the image's, turned by its yaw."""
    x, y, _ = flat(camera.rotation[0])
    cosine, sine = np.cos(item.yaw), np.sin(item.yaw)
    return np.array([x * cosine - y * sine, x * sine + y * cosine, 0.0])


def sample_clutter(
    camera: Camera, building: Landmark, world: World, rng: np.random.Generator
) -> tuple[Clutter, ...]:
    """Objects on the ground between the camera and the building."""
    right, forward = flat(camera.rotation[0]), flat(camera.rotation[2])
    farthest = np.hypot(*camera.centre[:2]) - max(building.front, 5.0)
    objects = []
    for _ in range(int(rng.integers(world.clutter[0], world.clutter[1] + 1))):
        name = NAMES[rng.integers(len(NAMES))]
        nearest = max(1.1 * max(CLASSES[name]) * camera.focal, 5.0)  # so that it does not fill the image
        reach = max(farthest, nearest * 1.15) / nearest
        distance = nearest * reach ** rng.random()
        aside = distance / camera.focal * rng.uniform(-0.55, 0.55)
        x, y, _ = camera.centre + forward * distance + right * aside
        yaw, scale = rng.uniform(-0.35, 0.35), world.clutter_size * rng.uniform(0.85, 1.2)
        objects.append(Clutter(name, int(rng.integers(VARIANTS)), float(x), float(y), yaw, scale))
    return tuple(objects)


def sample_view(landmark: int, view: int, world: World | None = None) -> View:
    """Camera, light, clutter and ground of one view of a landmark.

    Chapter: 02_toytown.
    """
    world = world or World()
    building = building_of(landmark, world.families, world.individuality)
    camera, azimuth = sample_camera(building, world, stream("view", landmark, view, "camera"))
    light = sample_light(azimuth, world, stream("view", landmark, view, "light"))
    clutter = sample_clutter(camera, building, world, stream("view", landmark, view, "clutter"))
    ground = int(stream("view", landmark, view, "ground").integers(len(GROUNDS)))
    return View(landmark, view, world, camera, light, clutter, ground)
