"""The four grounds: paving, lawn, asphalt and cobbles, each a square that repeats."""

import numpy as np

from gem_lite.seeds import stream
from gem_lite.toytown.canvas import Bytes, Canvas
from gem_lite.toytown.colours import rgb
from gem_lite.toytown.facades import mottled
from gem_lite.toytown.geometry import Faces, Mesh

TILE = 8.0  # metres
REACH = 400.0  # metres; farther away there is only haze


def paving(canvas: Canvas, rng: np.random.Generator) -> None:
    joint = rgb(0.5, 0.48, 0.45)
    for x, y in np.ndindex(8, 8):
        canvas.rectangle(x, y, x + 1, y + 1, rgb(0.66, 0.63, 0.58) * rng.uniform(0.93, 1.05))
    for line in range(8):
        canvas.rectangle(line, 0, line + 0.06, TILE, joint)
        canvas.rectangle(0, line, TILE, line + 0.06, joint)


def lawn(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.rectangle(0, 0, TILE, TILE, (0.36, 0.50, 0.25))
    for x, y in rng.uniform(0, TILE, (900, 2)):
        canvas.rectangle(x, y, x + 0.08, y + 0.3, rgb(0.38, 0.54, 0.24) * rng.uniform(0.75, 1.2))


def asphalt(canvas: Canvas, rng: np.random.Generator) -> None:
    mottled(canvas, rgb(0.42, 0.42, 0.44), rng, strength=0.03)


def cobbles(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.rectangle(0, 0, TILE, TILE, (0.40, 0.36, 0.33))
    for column, row in np.ndindex(16, 16):
        stone = rgb(0.60, 0.54, 0.48) * rng.uniform(0.82, 1.12)
        canvas.disc((column + 0.5 + 0.25 * (row % 2)) * 0.5, (row + 0.5) * 0.5, 0.23, stone)


GROUNDS = [paving, lawn, asphalt, cobbles]


def ground_textures() -> list[Bytes]:
    """One texture per ground, a square of TILE metres each."""
    textures = []
    for number, draw in enumerate(GROUNDS):
        canvas = Canvas(TILE, TILE)
        draw(canvas, stream("ground texture", number))
        textures.append(canvas.finished())
    return textures


def ground_face() -> Faces:
    """The ground, one large square."""
    mesh = Mesh()
    mesh.face((-REACH, -REACH, 0), (2 * REACH, 0, 0), (0, 2 * REACH, 0), texture=0)
    return mesh.faces()
