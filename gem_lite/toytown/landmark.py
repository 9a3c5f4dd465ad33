"""A landmark: a body with a roof, and perhaps a portico, wings, towers and a dome.

Its 3D points are what structure from motion would have reconstructed: fixed places on its surface, of which
every view sees some.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from gem_lite.seeds import stream
from gem_lite.toytown.canvas import Array, Bytes
from gem_lite.toytown.facades import belfry, facade, gable, plain, ribbed, tiles
from gem_lite.toytown.geometry import Faces, Mesh, Plan
from gem_lite.toytown.styles import Style, family_style, own_style

POINTS = 900
ATTIC = 3.4  # metres


@dataclass(frozen=True, eq=False)
class Landmark:
    """A finished building; ``points`` (POINTS, 3) lie on the faces ``point_face`` (POINTS,)."""

    faces: Faces
    textures: list[Bytes]
    points: Array
    point_face: npt.NDArray[np.int64]

    @property
    def left(self) -> float:
        return float(self.points[:, 0].min())

    @property
    def right(self) -> float:
        return float(self.points[:, 0].max())

    @property
    def top(self) -> float:
        return float(self.points[:, 2].max())

    @property
    def front(self) -> float:
        """How far the building reaches towards the viewer of its front."""
        return -float(self.points[:, 1].min())


@dataclass
class Site:
    """A building under construction: its body's plan and height, and the textures that its parts share."""

    style: Style
    rng: np.random.Generator
    mesh: Mesh
    body: Plan
    height: float
    tiles: int
    lead: int

    def wall(self, width: float, height: float, main: bool = False) -> int:
        """A new façade; returns its texture."""
        return self.mesh.texture(facade(width, height, self.style, self.rng, main))


def begin(style: Style, rng: np.random.Generator) -> Site:
    """Chooses the size and puts up the body."""
    width, depth, height = rng.uniform(13, 24), rng.uniform(9, 15), rng.uniform(7, 15)
    mesh = Mesh()
    roof = mesh.texture(tiles(width, 5, style, dormers=int(rng.integers(4))))
    lead = mesh.texture(plain(style.roof * 0.9, rng))
    body = Plan(-width / 2, width / 2, -depth / 2, depth / 2)
    site = Site(style, rng, mesh, body, height, roof, lead)
    mesh.box(body, 0, height, site.wall(width, height, main=True), site.wall(depth, height), lead)
    return site


def roof(site: Site) -> float:
    """A gabled or hipped roof, an attic or merlons; returns how high a dome on it stands above the walls."""
    mesh, body, rng, z = site.mesh, site.body, site.rng, site.height
    width, depth = body.width, body.depth
    kind = ("gable", "hip", "attic", "merlons")[rng.integers(4)]
    if kind == "gable":
        rise = rng.uniform(0.28, 0.5) * width
        mesh.gabled_roof(body, z, rise, mesh.texture(gable(width, rise, site.style, rng)), site.tiles)
        return 0.4 * rise
    if kind == "hip":
        rise = rng.uniform(3, 6)
        mesh.hipped_roof(body, z, rise, site.tiles, ridge=rng.uniform(0.3, 0.7))
        return 0.4 * rise
    if kind == "attic":
        plan = Plan(
            body.x0 + 0.12 * width, body.x1 - 0.12 * width, body.y0 + 0.15 * depth, body.y1 - 0.1 * depth
        )
        front, side = site.wall(plan.width, ATTIC), site.wall(plan.depth, ATTIC)
        mesh.box(plan, z, z + ATTIC, front, side, site.lead)
        return ATTIC
    stone, count = mesh.texture(plain(site.style.trim, rng)), int(rng.integers(5, 9))
    for index in range(count):
        x = body.x0 + width * (index + 0.25) / count
        merlon = Plan(x, x + 0.5 * width / count, body.y0, body.y0 + 1)
        mesh.box(merlon, z, z + 1.3, stone, stone, stone)
    return 0.0


def portico(site: Site) -> None:
    """Columns that carry a pediment in front of the entrance."""
    mesh, rng, y0 = site.mesh, site.rng, site.body.y0
    width, depth = site.body.width * rng.uniform(0.34, 0.56), rng.uniform(2, 3.5)
    height, columns = site.height * rng.uniform(0.6, 0.92), int(rng.integers(3, 6))
    stone = mesh.texture(plain(site.style.trim, rng))
    mesh.box(Plan(-width / 2, width / 2, y0 - depth, y0), height - 0.9, height, stone, stone, stone)
    for x in np.linspace(0.5 - width / 2, width / 2 - 0.5, columns):
        mesh.turned(x, y0 - depth + 0.6, [(0.55, 0), (0.42, height - 0.9)], stone, sides=6)
    rise = 0.24 * width
    pediment = mesh.texture(gable(width, rise, site.style, rng))
    roof_plan = Plan(-width / 2, width / 2, y0 - depth, y0 + 0.5)
    mesh.gabled_roof(roof_plan, height, rise, pediment, site.tiles)


def wings(site: Site) -> None:
    """A lower building on one side or on both."""
    rng, body = site.rng, site.body
    width, height = rng.uniform(4, 9), site.height * rng.uniform(0.5, 0.85)
    front, side = site.wall(width, height), site.wall(body.depth * 0.8, height)
    y0, y1 = body.y0 + 0.1 * body.depth, body.y1 - 0.1 * body.depth
    sides = ["left", "right"] if rng.random() < 0.65 else [("left", "right")[rng.integers(2)]]
    for which in sides:
        x0 = body.x0 - width if which == "left" else body.x1
        plan = Plan(x0, x0 + width, y0, y1)
        site.mesh.box(plan, 0, height, front, side, site.lead)
        if site.style.spire:
            site.mesh.hipped_roof(plan, height, 2.6, site.tiles, ridge=0.3)


def towers(site: Site, count: int) -> None:
    """One or two towers, square or round, with a spire or a small cupola."""
    mesh, rng, body = site.mesh, site.rng, site.body
    width, height = rng.uniform(3.6, 6), site.height + rng.uniform(3, 11)
    with_clock = bool(rng.integers(2))
    wall = mesh.texture(belfry(width, height, site.style, rng, with_clock))
    cap, cap_height = mesh.texture(tiles(width, 8, site.style)), rng.uniform(4, 10)
    near = body.y0 - rng.uniform(0.3, 1.5)
    places = [-0.5 * body.width, 0.5 * body.width]
    if count == 1:
        places = [(-0.5, 0.0, 0.5)[rng.integers(3)] * (body.width - width)]
    for x in places:
        plan, y = Plan(x - width / 2, x + width / 2, near, near + width), near + width / 2
        if rng.random() < 0.75:
            mesh.box(plan, 0, height, wall, wall, site.lead)
        else:
            mesh.turned(x, y, [(0.6 * width, 0), (0.6 * width, height)], wall, sides=8)
        if site.style.spire:
            mesh.hipped_roof(plan, height, cap_height, cap)
        elif with_clock:
            cupola = [(0.42 * width, 0), (0.4 * width, 2), (0.28 * width, 3.2), (0.05, 3.8)]
            mesh.turned(x, y, [(radius, height + z) for radius, z in cupola], cap, sides=8)


def dome(site: Site, above: float) -> None:
    """A ribbed dome on a drum with windows."""
    mesh, rng, drum_height = site.mesh, site.rng, 3.2
    radius = min(site.body.width, site.body.depth) * rng.uniform(0.24, 0.36)
    stretch, y = rng.uniform(0.8, 1.4), rng.uniform(-0.1, 0.1) * site.body.depth
    base = site.height + above
    drum = site.wall(2 * radius, drum_height)
    mesh.turned(0, y, [(radius, base), (radius, base + drum_height)], drum, sides=10)
    profile = [(1.015 * np.cos(angle), np.sin(angle)) for angle in (0, 0.45, 0.9, 1.3)]
    profile += [(0.16, 1.25), (0.05 / radius, 1.7)]
    foot = base + drum_height
    shell = [(radius * width, foot + stretch * radius * height) for width, height in profile]
    # From below one looks past the drum into the shell.
    mesh.turned(0, y, shell, mesh.texture(ribbed(site.style)), sides=10, two_sided=True)


def scattered_points(faces: Faces, rng: np.random.Generator) -> tuple[Array, npt.NDArray[np.int64]]:
    """Points spread over all faces in proportion to their areas, and the face of each."""
    areas = faces.areas()
    face = rng.choice(len(faces), POINTS, p=areas / areas.sum())
    v = rng.random(POINTS)
    half_width = 0.5 - 0.5 * (1 - faces.taper[face]) * v
    u = 0.5 + rng.uniform(-1, 1, POINTS) * half_width
    return faces.at(face, u, v), face


def family_of(identity: int, families: int = 12) -> int:
    """The style family, 0..families-1, of a landmark."""
    return int(stream("landmark", identity, "family").integers(families))


@lru_cache(maxsize=16)
def landmark(identity: int, families: int = 12, individuality: float = 1.0) -> Landmark:
    """The landmark of this number; ``individuality`` is how far it departs from its family's style.

    Chapter: 02_toytown.
    """
    rng = stream("landmark", identity, "building")
    style = own_style(family_style(family_of(identity, families)), rng, individuality)
    site = begin(style, rng)
    above = roof(site)
    if rng.random() < 0.45:
        portico(site)
    if rng.random() < 0.5:
        wings(site)
    chances = [0.5, 0.2, 0.3] if style.dome else [0.25, 0.4, 0.35]
    count = int(rng.choice(3, p=chances))
    if count:
        towers(site, count)
    if style.dome:
        dome(site, above)
    faces = site.mesh.faces()
    points, point_face = scattered_points(faces, stream("landmark", identity, "points"))
    return Landmark(faces, site.mesh.textures, points, point_face)
