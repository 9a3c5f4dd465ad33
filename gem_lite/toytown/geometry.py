"""Faces: everything solid in Toytown is made of flat quadrilaterals.

A face is a corner ``origin`` and two edges ``across`` and ``up``; its point (u, v) lies at
``origin + u across + v up``. ``taper`` is the length of its upper side relative to the lower one: 1 is a
parallelogram, 0 a triangle, anything between a trapezoid. That is enough for gables, hipped roofs, spires,
columns and domes. Lengths are metres; x points to the right of a front view, y away from it, z up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gem_lite.toytown.canvas import Array, Bytes

Vector = Array | tuple[float, float, float]


class Plan(NamedTuple):
    """An upright rectangle seen from above."""

    x0: float
    x1: float
    y0: float
    y1: float

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def depth(self) -> float:
        return self.y1 - self.y0

    def grown(self, x: float, y: float) -> "Plan":
        """The plan with its sides moved outwards by these lengths."""
        return Plan(self.x0 - x, self.x1 + x, self.y0 - y, self.y1 + y)


@dataclass(frozen=True, eq=False)
class Faces:
    """F faces as arrays: origin, across, up (F, 3); taper (F,); two_sided (F,) bool; texture (F,) int."""

    origin: Array
    across: Array
    up: Array
    taper: Array
    two_sided: npt.NDArray[np.bool_]
    texture: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.origin)

    def joined(self, other: "Faces") -> "Faces":
        """These faces, then the others."""
        return Faces(
            *(np.concatenate(both) for both in zip(vars(self).values(), vars(other).values(), strict=True))
        )

    def at(self, face: npt.NDArray[np.int64], u: Array, v: Array) -> Array:
        """Points (N, 3) with coordinates u, v (N,) on the given faces (N,)."""
        return self.origin[face] + u[:, None] * self.across[face] + v[:, None] * self.up[face]

    def corners(self) -> Array:
        """The four corners (F, 4, 3)."""
        inset = ((1 - self.taper) / 2)[:, None] * self.across
        top = self.origin + self.up
        return np.stack(
            [self.origin, self.origin + self.across, top + inset, top + self.across - inset], axis=1
        )

    def normals(self) -> Array:
        """Unit normals (F, 3), outwards."""
        normals: Array = np.cross(self.across, self.up)
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        return normals

    def areas(self) -> Array:
        """Areas in square metres (F,)."""
        parallelogram: Array = np.linalg.norm(np.cross(self.across, self.up), axis=1)
        return parallelogram * (1 + self.taper) / 2


@dataclass
class Mesh:
    """Faces and textures being collected."""

    textures: list[Bytes] = field(default_factory=list)
    _faces: list[tuple[Vector, Vector, Vector, float, bool, int]] = field(default_factory=list)

    def texture(self, image: Bytes) -> int:
        """Adds a texture; returns its number."""
        self.textures.append(image)
        return len(self.textures) - 1

    def face(
        self,
        origin: Vector,
        across: Vector,
        up: Vector,
        texture: int,
        taper: float = 1.0,
        two_sided: bool = False,
    ) -> None:
        """Adds a face, seen from the side where ``across`` x ``up`` points unless two-sided."""
        self._faces.append((origin, across, up, taper, two_sided, texture))

    def box(self, plan: Plan, z0: float, z1: float, front: int, side: int, top: int) -> None:
        """Four walls and a flat roof."""
        x0, x1, y0, y1 = plan
        width, depth, height = plan.width, plan.depth, (0, 0, z1 - z0)
        self.face((x0, y0, z0), (width, 0, 0), height, front)
        self.face((x1, y1, z0), (-width, 0, 0), height, front)
        self.face((x1, y0, z0), (0, depth, 0), height, side)
        self.face((x0, y1, z0), (0, -depth, 0), height, side)
        self.face((x0, y0, z1), (width, 0, 0), (0, depth, 0), top)

    def gabled_roof(self, plan: Plan, z: float, height: float, gable: int, tiles: int) -> None:
        """Two slopes with the ridge along y, so that the gables look to the front and to the back."""
        x0, x1, y0, y1 = plan
        width, rise = plan.width, (0, 0, height)
        self.face((x0, y0, z), (width, 0, 0), rise, gable, taper=0)
        self.face((x1, y1, z), (-width, 0, 0), rise, gable, taper=0)
        eaves = 0.25
        left, right, near, far = plan.grown(eaves, eaves)
        run, length = width / 2 + eaves, far - near
        foot = z - height * eaves / (width / 2)  # so that the slopes lie on the gables' edges
        top = z + height - foot
        self.face((right, near, foot), (0, length, 0), (-run, 0, top), tiles, two_sided=True)
        self.face((left, far, foot), (0, -length, 0), (run, 0, top), tiles, two_sided=True)

    def hipped_roof(self, plan: Plan, z: float, height: float, tiles: int, ridge: float = 0.0) -> None:
        """Four slopes that end in a ridge of this share of the width (0: a pyramid)."""
        x0, x1, y0, y1 = plan.grown(0.3, 0.3)
        width, depth = x1 - x0, y1 - y0
        hip = width * (1 - ridge) / 2
        self.face((x0, y0, z), (width, 0, 0), (0, depth / 2, height), tiles, ridge, True)
        self.face((x1, y1, z), (-width, 0, 0), (0, -depth / 2, height), tiles, ridge, True)
        self.face((x1, y0, z), (0, depth, 0), (-hip, 0, height), tiles, 0, True)
        self.face((x0, y1, z), (0, -depth, 0), (hip, 0, height), tiles, 0, True)

    def turned(
        self,
        x: float,
        y: float,
        profile: Sequence[tuple[float, float]],
        texture: int,
        sides: int,
        two_sided: bool = False,
    ) -> None:
        """A turned body: ``profile`` lists (radius, z) upwards; every step is a ring of trapezoids."""
        angles = 2 * np.pi * (np.arange(sides + 1) - 0.5) / sides
        ring = np.stack([np.cos(angles), np.sin(angles), np.zeros(sides + 1)], axis=1)
        centre = np.array([x, y, 0.0])
        for (radius0, z0), (radius1, z1) in pairwise(profile):
            lower = centre + radius0 * ring + (0, 0, z0)
            upper = centre + radius1 * ring + (0, 0, z1)
            lower_middle, upper_middle = (lower[:-1] + lower[1:]) / 2, (upper[:-1] + upper[1:]) / 2
            for corner, across, up in zip(
                lower[:-1], np.diff(lower, axis=0), upper_middle - lower_middle, strict=True
            ):
                self.face(corner, across, up, texture, radius1 / radius0, two_sided)

    def faces(self) -> Faces:
        """Everything collected so far, as arrays."""
        origin, across, up, taper, two_sided, texture = zip(*self._faces, strict=True)
        return Faces(
            np.array(origin, np.float64),
            np.array(across, np.float64),
            np.array(up, np.float64),
            np.array(taper, np.float64),
            np.array(two_sided, bool),
            np.array(texture, np.int64),
        )
