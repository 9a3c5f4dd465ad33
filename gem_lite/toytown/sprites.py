"""Sixteen classes of objects (car, bicycle, person, ...), each drawn anew for every variant.

They play two parts: they clutter the street in front of the landmarks, and they are the classes of the
pictures on which the book's "off-the-shelf" network is trained. A drawing fills a square of 1 x 1 and stands
on its lower side; CLASSES has the true size.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from gem_lite.seeds import stream
from gem_lite.toytown.canvas import SIDE, Array, Bytes, Canvas
from gem_lite.toytown.colours import bright_paint, paint, rgb

# name -> (width, height) in metres
CLASSES: dict[str, tuple[float, float]] = {
    "car": (4.4, 2.2),
    "bus": (7.5, 3.6),
    "truck": (6.6, 3.3),
    "bicycle": (1.9, 1.5),
    "person": (1.0, 1.9),
    "dog": (1.3, 1.0),
    "tree": (5.5, 7.0),
    "pine": (3.6, 7.5),
    "lamp": (1.4, 5.5),
    "sign": (1.2, 3.0),
    "bench": (2.4, 1.4),
    "parasol": (3.2, 3.0),
    "balloons": (1.8, 3.2),
    "stall": (4.2, 3.4),
    "mailbox": (0.9, 1.5),
    "scooter": (1.9, 1.4),
}
NAMES = list(CLASSES)
VARIANTS = 12  # different drawings of each class in the town

BLACK = rgb(0.09, 0.09, 0.10)
IRON = rgb(0.15, 0.16, 0.17)
STEEL = rgb(0.60, 0.61, 0.64)
WHITE = rgb(0.95, 0.94, 0.90)
WOOD = rgb(0.58, 0.41, 0.24)
GLASS = rgb(0.45, 0.62, 0.74)
LAMPLIGHT = rgb(1.0, 0.94, 0.70)


def wheel(canvas: Canvas, x: float, y: float, radius: float) -> None:
    """A tyre, its rim and its hub."""
    canvas.disc(x, y, radius, BLACK)
    canvas.disc(x, y, radius * 0.55, STEEL)
    canvas.disc(x, y, radius * 0.2, IRON)


def car(canvas: Canvas, rng: np.random.Generator) -> None:
    body, roof = paint(rng), rng.uniform(0.68, 0.82)
    back, front = rng.uniform(0.14, 0.24), rng.uniform(0.74, 0.9)
    sill, pane_top = 0.43, roof - 0.04
    canvas.polygon([(back, 0.42), (back + 0.13, roof), (front - 0.12, roof), (front, 0.42)], body * 0.92)
    canvas.polygon([(back + 0.05, sill), (back + 0.15, pane_top), (0.49, pane_top), (0.49, sill)], GLASS)
    canvas.polygon(
        [(0.52, sill), (0.52, pane_top), (front - 0.14, pane_top), (front - 0.05, sill)], GLASS * 0.9
    )
    hull = [(0.02, 0.12), (0.01, 0.34), (0.05, 0.45), (0.96, 0.45), (0.99, 0.36), (0.99, 0.12)]
    canvas.polygon(hull, body)
    canvas.rectangle(0.02, 0.12, 0.99, 0.19, body * 0.55)
    canvas.rectangle(0.53, 0.33, 0.59, 0.35, body * 0.4)
    canvas.disc(0.05, 0.33, 0.035, LAMPLIGHT)
    canvas.rectangle(0.94, 0.3, 0.99, 0.37, (0.7, 0.12, 0.1))
    radius = rng.uniform(0.095, 0.115)
    for x in (0.22, 0.78):
        wheel(canvas, x, radius, radius)


def bus(canvas: Canvas, rng: np.random.Generator) -> None:
    body, lower = paint(rng), paint(rng)
    canvas.rectangle(0.01, 0.1, 0.99, 0.93, body)
    canvas.rectangle(0.01, 0.1, 0.99, 0.34, lower if rng.random() < 0.6 else body * 0.7)
    canvas.rectangle(0.03, 0.9, 0.97, 0.96, body * 0.8)
    windows = int(rng.integers(4, 7))
    pitch = 0.8 / windows
    for x in 0.05 + pitch * np.arange(windows):
        canvas.rectangle(x, 0.5, x + 0.86 * pitch, 0.82, GLASS)
    canvas.rectangle(0.87, 0.14, 0.96, 0.82, GLASS * 0.8)
    canvas.rectangle(0.91, 0.14, 0.92, 0.82, body * 0.6)
    canvas.disc(0.03, 0.26, 0.03, LAMPLIGHT)
    for x in (0.2, 0.76):
        wheel(canvas, x, 0.1, 0.1)


def truck(canvas: Canvas, rng: np.random.Generator) -> None:
    cab, box, end = paint(rng), rng.uniform(0.72, 0.95) * rgb(1.0, 0.98, 0.94), rng.uniform(0.6, 0.7)
    canvas.rectangle(0.01, 0.18, end, 0.95, box)
    canvas.rectangle(0.01, 0.52, end, 0.62, cab)
    for x in np.linspace(0.1, end - 0.05, 5):
        canvas.line([(x, 0.2), (x, 0.93)], 0.006, box * 0.8)
    outline = [(end + 0.02, 0.14), (end + 0.02, 0.78), (0.88, 0.78), (0.98, 0.48), (0.99, 0.14)]
    canvas.polygon(outline, cab)
    canvas.polygon([(end + 0.1, 0.48), (end + 0.1, 0.72), (0.86, 0.72), (0.95, 0.48)], GLASS)
    canvas.rectangle(0.01, 0.12, 0.99, 0.2, IRON)
    for x in (0.14, 0.36, 0.84):
        wheel(canvas, x, 0.1, 0.1)


def bicycle(canvas: Canvas, rng: np.random.Generator) -> None:
    frame, radius = paint(rng), rng.uniform(0.23, 0.26)
    for x in (0.25, 0.75):
        canvas.ring(x, radius, radius - 0.02, 0.035, BLACK)
        for angle in np.arange(4) * np.pi / 4:
            dx, dy = (radius - 0.03) * np.cos(angle), (radius - 0.03) * np.sin(angle)
            canvas.line([(x - dx, radius - dy), (x + dx, radius + dy)], 0.008, STEEL)
    rear, pedals, seat, head = (0.25, radius), (0.47, radius - 0.02), (0.4, 0.66), (0.68, 0.7)
    canvas.line([rear, seat, pedals, rear], 0.032, frame)
    canvas.line([seat, head, pedals], 0.032, frame)
    canvas.line([(0.75, radius), head, (0.66, 0.84)], 0.032, frame)
    canvas.line([(0.57, 0.87), (0.72, 0.84)], 0.032, BLACK)
    canvas.line([seat, (0.385, 0.76)], 0.026, BLACK)
    canvas.polygon([(0.3, 0.76), (0.48, 0.76), (0.46, 0.8), (0.3, 0.82)], BLACK)
    canvas.disc(*pedals, 0.05, BLACK)


def person(canvas: Canvas, rng: np.random.Generator) -> None:
    skin, top, trousers = rgb(0.95, 0.76, 0.62) * rng.uniform(0.45, 1), paint(rng), paint(rng) * 0.6
    stride, swing = rng.uniform(0.02, 0.14), rng.uniform(0.02, 0.2)
    for side, shade in ((-1, 1.0), (1, 0.85)):
        foot = 0.5 + side * stride
        canvas.line([(0.5, 0.45), (foot, 0.06)], 0.13, trousers * shade)
        canvas.rectangle(foot - 0.07, 0, foot + 0.09, 0.05, BLACK)
    if rng.random() < 0.35:
        canvas.polygon([(0.4, 0.5), (0.24, 0.22), (0.76, 0.22), (0.6, 0.5)], top * 0.9)
    shoulders = [(0.36, 0.44), (0.32, 0.8), (0.4, 0.84), (0.6, 0.84), (0.68, 0.8), (0.64, 0.44)]
    canvas.polygon(shoulders, top)
    for side in (-1, 1):
        arm = [(0.15, 0.78), (0.2 + swing, 0.58), (0.16 + swing, 0.46)]
        canvas.line([(0.5 + side * x, y) for x, y in arm], 0.085, top * 0.85)
    canvas.disc(0.5, 0.92, 0.11, skin, radius_y=0.075)
    canvas.polygon([(0.39, 0.93), (0.42, 0.995), (0.58, 0.995), (0.61, 0.93)], paint(rng) * 0.6)


def dog(canvas: Canvas, rng: np.random.Generator) -> None:
    fur = rgb(0.75, 0.52, 0.3) * rng.uniform(0.4, 1.25)
    for x in (0.24, 0.36, 0.66, 0.76):
        canvas.line([(x, 0.4), (x + rng.uniform(-0.05, 0.05), 0.04)], 0.075, fur * 0.85)
    canvas.disc(0.48, 0.45, 0.33, fur, radius_y=0.16)
    canvas.line([(0.18, 0.5), (0.06, 0.72)], 0.06, fur)
    canvas.disc(0.8, 0.68, 0.15, fur, radius_y=0.14)
    canvas.polygon([(0.85, 0.72), (0.99, 0.66), (0.98, 0.58), (0.85, 0.58)], fur)
    canvas.disc(0.97, 0.65, 0.025, BLACK)
    canvas.disc(0.83, 0.73, 0.02, BLACK)
    canvas.polygon([(0.7, 0.78), (0.64, 0.52), (0.76, 0.62)], fur * 0.6)
    canvas.rectangle(0.66, 0.52, 0.74, 0.57, paint(rng))


def tree(canvas: Canvas, rng: np.random.Generator) -> None:
    leaves = rgb(0.30, 0.46, 0.20) * rng.uniform(0.75, 1.2) + rng.uniform(0, 1) * rgb(0.14, 0.04, 0.0)
    bark = rgb(0.36, 0.26, 0.17)
    canvas.polygon([(0.45, 0), (0.47, 0.5), (0.53, 0.5), (0.56, 0)], bark)
    canvas.line([(0.5, 0.35), (0.66, 0.55)], 0.035, bark)
    canvas.line([(0.5, 0.3), (0.34, 0.5)], 0.035, bark)
    angle, reach = rng.uniform(0, 2 * np.pi, 34), rng.uniform(0, 0.3, 34) ** 0.9
    x, y = 0.5 + reach * np.cos(angle), 0.66 + 0.75 * reach * np.sin(angle)
    for index in np.argsort(y):  # the upper leaves catch the light and lie on top
        shade = (0.62 + 0.5 * (y[index] - 0.35)) * rng.uniform(0.88, 1.12)
        canvas.disc(x[index], y[index], rng.uniform(0.06, 0.13), leaves * shade)


def pine(canvas: Canvas, rng: np.random.Generator) -> None:
    needles = rgb(0.16, 0.34, 0.22) * rng.uniform(0.8, 1.3) * rng.uniform(0.9, 1.1, 3)
    canvas.rectangle(0.46, 0, 0.54, 0.2, (0.34, 0.24, 0.16))
    tiers = int(rng.integers(4, 6))
    for tier in range(tiers):
        foot, half = 0.12 + 0.74 * tier / tiers, 0.46 * (1 - tier / (tiers + 0.7))
        tip = foot + 0.925 / tiers + 0.06
        canvas.polygon([(0.5 - half, foot), (0.5, tip), (0.5 + half, foot)], needles * (0.85 + 0.12 * tier))
        canvas.polygon([(0.5, foot), (0.5, tip), (0.5 + half, foot)], needles * (0.7 + 0.1 * tier))


def lamp(canvas: Canvas, rng: np.random.Generator) -> None:
    post = rgb(0.16, 0.20, 0.19) * rng.uniform(0.6, 1.6)
    canvas.line([(0.5, 0.03), (0.5, 0.8)], 0.05, post)
    canvas.rectangle(0.38, 0, 0.62, 0.05, post)
    canvas.rectangle(0.42, 0.05, 0.58, 0.12, post)
    if rng.random() < 0.5:
        canvas.polygon([(0.4, 0.78), (0.34, 0.93), (0.66, 0.93), (0.6, 0.78)], LAMPLIGHT)
        canvas.polygon([(0.3, 0.93), (0.5, 1), (0.7, 0.93)], post)
        return
    canvas.line([(0.14, 0.82), (0.86, 0.82)], 0.04, post)
    for x in (0.14, 0.86):
        canvas.disc(x, 0.86, 0.13, LAMPLIGHT, radius_y=0.034)
        canvas.rectangle(x - 0.1, 0.88, x + 0.1, 0.9, post)


def sign(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.line([(0.5, 0.03), (0.5, 0.7)], 0.06, STEEL)
    traffic_colours = [
        rgb(0.75, 0.16, 0.15),
        rgb(0.16, 0.32, 0.58),
        rgb(0.16, 0.42, 0.30),
        rgb(0.85, 0.62, 0.15),
    ]
    colour = traffic_colours[rng.integers(4)] * rng.uniform(0.85, 1.1)
    shape = ("no entry", "warning", "panel", "stop")[rng.integers(4)]
    if shape == "no entry":
        canvas.disc(0.5, 0.8, 0.46, colour, radius_y=0.19)
        canvas.disc(0.5, 0.8, 0.36, WHITE, radius_y=0.15)
        canvas.rectangle(0.24, 0.775, 0.76, 0.825, colour)
    elif shape == "warning":
        canvas.polygon([(0.06, 0.64), (0.5, 0.99), (0.94, 0.64)], colour)
        canvas.polygon([(0.22, 0.69), (0.5, 0.91), (0.78, 0.69)], WHITE)
        canvas.rectangle(0.46, 0.71, 0.54, 0.83, BLACK)
    elif shape == "panel":
        canvas.rectangle(0.14, 0.62, 0.86, 0.98, colour)
        canvas.rectangle(0.2, 0.66, 0.8, 0.94, WHITE)
        canvas.polygon([(0.3, 0.7), (0.5, 0.91), (0.7, 0.7)], colour)
    else:
        corners = [(0.3, 0.62), (0.7, 0.62), (0.95, 0.72), (0.95, 0.88)]
        corners += [(0.7, 0.98), (0.3, 0.98), (0.05, 0.88), (0.05, 0.72)]
        canvas.polygon(corners, colour)
        canvas.rectangle(0.2, 0.77, 0.8, 0.83, WHITE)


def bench(canvas: Canvas, rng: np.random.Generator) -> None:
    plank = WOOD * rng.uniform(0.6, 1.3) if rng.random() < 0.7 else paint(rng)
    for x in (0.12, 0.84):
        canvas.line([(x, 0.02), (x, 0.42)], 0.04, IRON)
        canvas.line([(x, 0.4), (x - 0.02, 0.93)], 0.04, IRON)
        canvas.line([(x + 0.06, 0.02), (x + 0.06, 0.4)], 0.035, IRON)
    for y in (0.56, 0.7, 0.84):
        canvas.rectangle(0.03, y, 0.97, y + 0.09, plank * rng.uniform(0.9, 1.05))
    canvas.rectangle(0, 0.36, 1, 0.46, plank * 1.1)


def striped_cloth(
    canvas: Canvas, colour: Array, stripes: int, edges: tuple[float, float], heights: tuple[float, float]
) -> None:
    """A striped awning that hangs from its top to its foot.

    ``edges`` are the left ends of its foot and of its top, ``heights`` those of the same two lines.
    """
    foot = np.linspace(edges[0], 1 - edges[0], stripes + 1)
    top = np.linspace(edges[1], 1 - edges[1], stripes + 1)
    y0, y1 = heights
    for index in range(stripes):
        shade = colour if index % 2 else WHITE
        left, right = foot[index], foot[index + 1]
        canvas.polygon([(left, y0), (top[index], y1), (top[index + 1], y1), (right, y0)], shade)
        canvas.disc((left + right) / 2, y0, (right - left) / 2, shade * 0.9, radius_y=0.04)


def parasol(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.line([(0.5, 0.02), (0.5, 0.95)], 0.03, WOOD * 0.8)
    striped_cloth(canvas, bright_paint(rng), 6, edges=(0.02, 0.5), heights=(0.6, 0.98))
    canvas.rectangle(0.18, 0.3, 0.82, 0.34, WHITE * 0.95)
    for top, foot in ((0.28, 0.22), (0.72, 0.78)):
        canvas.line([(top, 0.3), (foot, 0.01)], 0.02, IRON * 2)


def balloons(canvas: Canvas, rng: np.random.Generator) -> None:
    knot = (0.5, 0.28)
    for _ in range(int(rng.integers(5, 9))):
        x, y, colour = rng.uniform(0.2, 0.8), rng.uniform(0.62, 0.9), bright_paint(rng)
        canvas.line([(x, y), knot], 0.008, IRON * 2)
        canvas.disc(x, y, 0.15, colour, radius_y=0.095)
        canvas.disc(x - 0.05, y + 0.03, 0.035, 0.6 * colour + 0.4, radius_y=0.02)
    canvas.line([knot, (0.5, 0.06)], 0.012, IRON * 2)
    canvas.rectangle(0.42, 0, 0.58, 0.07, IRON * 2)


def stall(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.rectangle(0.08, 0.34, 0.92, 0.75, (0.2, 0.17, 0.15))
    canvas.rectangle(0.06, 0, 0.94, 0.34, WOOD * rng.uniform(0.7, 1.2))
    for x in 0.14 + 0.12 * np.arange(7):
        canvas.disc(x, 0.37, 0.055, bright_paint(rng))
    for x in (0.07, 0.93):
        canvas.line([(x, 0.02), (x, 0.8)], 0.03, WOOD * 0.7)
    striped_cloth(canvas, bright_paint(rng), 7, edges=(0.0, 0.1), heights=(0.7, 0.98))


def mailbox(canvas: Canvas, rng: np.random.Generator) -> None:
    body = bright_paint(rng) * rng.uniform(0.8, 1)
    canvas.rectangle(0.18, 0, 0.82, 0.12, body * 0.5)
    canvas.rectangle(0.22, 0.1, 0.78, 0.8, body)
    canvas.disc(0.5, 0.8, 0.28, body, radius_y=0.16)
    canvas.rectangle(0.14, 0.76, 0.86, 0.82, body * 0.7)
    canvas.rectangle(0.32, 0.62, 0.68, 0.67, BLACK)
    canvas.rectangle(0.62, 0.1, 0.78, 0.76, body * 0.82)
    canvas.rectangle(0.36, 0.36, 0.64, 0.54, WHITE)


def scooter(canvas: Canvas, rng: np.random.Generator) -> None:
    body = paint(rng)
    for x in (0.2, 0.8):
        wheel(canvas, x, 0.15, 0.15)
    hull = [(0.04, 0.3), (0.1, 0.5), (0.45, 0.52), (0.5, 0.26), (0.7, 0.26), (0.76, 0.16), (0.3, 0.16)]
    canvas.polygon(hull, body)
    canvas.polygon([(0.1, 0.5), (0.08, 0.58), (0.44, 0.6), (0.46, 0.52)], BLACK)
    canvas.polygon([(0.66, 0.2), (0.74, 0.72), (0.82, 0.72), (0.84, 0.2)], body)
    canvas.disc(0.83, 0.68, 0.06, LAMPLIGHT)
    canvas.line([(0.76, 0.72), (0.72, 0.92)], 0.04, BLACK)
    canvas.line([(0.6, 0.93), (0.8, 0.9)], 0.045, BLACK)
    if rng.random() < 0.6:
        canvas.rectangle(0.02, 0.6, 0.2, 0.8, body * 0.6)


DRAWINGS: dict[str, Callable[[Canvas, np.random.Generator], None]] = {
    drawing.__name__: drawing
    for drawing in (
        *(car, bus, truck, bicycle, person, dog, tree, pine),
        *(lamp, sign, bench, parasol, balloons, stall, mailbox, scooter),
    )
}

# Light falls from above.
SHADE = np.linspace(1.13, 0.91, SIDE, dtype=np.float32)[:, None]


@lru_cache(maxsize=512)
def painted(name: str, variant: int, series: str = "town") -> Bytes:
    """One drawing (SIDE, SIDE, 4) uint8: RGB multiplied by opacity, and opacity; its top row first.

    Such colours may be averaged and blended: what is transparent has no colour to add.

    Raises:
        ValueError: for an unknown class, with the known ones.
    """
    if name not in DRAWINGS:
        raise ValueError(f"unknown object class {name!r}; known: {', '.join(NAMES)}")
    rng = stream("sprite", series, name, variant)
    canvas = Canvas(1, 1, fourth=1)
    DRAWINGS[name](canvas, rng)
    *colour, opacity = np.moveaxis(canvas.finished(), 2, 0)
    shaded = [np.minimum(channel * SHADE, opacity).astype(np.uint8) for channel in colour]
    drawing = np.stack([*shaded, opacity], axis=2)
    return np.ascontiguousarray(drawing[:, ::-1]) if rng.random() < 0.5 else drawing


def sprite(name: str, variant: int, series: str = "town") -> Bytes:
    """One drawing (SIDE, SIDE, 4) uint8: RGB as it is, and opacity; its top row first.

    The town's clutter is variants 0..VARIANTS-1 of the series ``"town"``; whoever needs other drawings of
    the same classes names another series.

    Raises:
        ValueError: for an unknown class, with the known ones.
    """
    drawing = painted(name, variant, series).astype(np.float32)
    colour, opacity = drawing[..., :3], drawing[..., 3:]
    straight = np.rint(np.minimum(colour * 255 / np.maximum(opacity, 1), 255))
    return np.concatenate([straight, opacity], axis=2).astype(np.uint8)
