"""Walls with their windows, doors, columns and clocks, painted in metres."""

import numpy as np

from gem_lite.toytown.canvas import UNIT_CIRCLE, Array, Bytes, Canvas, Colour
from gem_lite.toytown.colours import bright_paint, paint, rgb
from gem_lite.toytown.styles import Style

LIT_PANE = rgb(0.55, 0.5, 0.38)
DARK = rgb(0.14, 0.12, 0.11)
COURSES = {"brick": 0.45, "ashlar": 0.9, "bands": 1.6}  # heights in metres

HALF_CIRCLE = UNIT_CIRCLE[: len(UNIT_CIRCLE) // 2 + 1]


def mottled(canvas: Canvas, colour: Array, rng: np.random.Generator, strength: float = 0.05) -> None:
    """Covers the canvas with a colour that is a little lighter here and darker there."""
    spots = 1 + strength * rng.standard_normal((24, 24, 1))
    canvas.fill(colour * spots)


def masonry(canvas: Canvas, style: Style, rng: np.random.Generator) -> None:
    """The bare wall: courses of brick or stone, coloured bands, or plaster."""
    mottled(canvas, style.wall, rng)
    if style.masonry == "plaster":
        return
    height, joint = COURSES[style.masonry], style.wall * 0.86
    for row in range(int(canvas.height / height)):
        y = row * height
        if style.masonry == "bands":
            if row % 2:
                canvas.rectangle(0, y, canvas.width, y + height, style.wall * 0.6 + style.trim * 0.34)
            continue
        canvas.rectangle(0, y, canvas.width, y + 0.12 * height + 0.03, joint)
        if style.masonry == "ashlar":
            for x in np.arange((row % 2) * 0.9, canvas.width, 1.8):
                canvas.rectangle(x, y, x + 0.1, y + height, joint)


def window_outline(kind: str, x: float, y: float, width: float, height: float, border: float) -> Array:
    """Outline of an opening whose sill is centred on (x, y), widened by ``border`` on every side."""
    half = width / 2 + border
    left, right, bottom, top = x - half, x + half, y - border, y + height + border
    if kind == "round arch":
        round_arch = (x, y + height - width / 2) + half * HALF_CIRCLE
        return np.concatenate([[(left, bottom), (right, bottom)], round_arch])
    if kind == "pointed arch":
        spring, haunch = y + height - 0.7 * width, top - 0.2 * width
        left_haunch, right_haunch = (x - 0.28 * width, haunch), (x + 0.28 * width, haunch)
        arch = [(right, spring), right_haunch, (x, top), left_haunch, (left, spring)]
        return np.array([(left, bottom), (right, bottom), *arch])
    return np.array([(left, bottom), (right, bottom), (right, top), (left, top)])


def opening(
    canvas: Canvas,
    style: Style,
    x: float,
    y: float,
    width: float,
    height: float,
    *,
    lit: float = 0.0,
    kind: str | None = None,
    pane: Array | None = None,
) -> None:
    """A window or door whose sill is centred on (x, y); ``lit`` is how much it glows at dusk."""
    kind = kind or style.window
    colour = style.glass if pane is None else pane
    canvas.polygon(window_outline(kind, x, y, width, height, 0.22), style.trim)
    canvas.polygon(window_outline(kind, x, y, width, height, 0), colour * (1 - lit) + LIT_PANE * lit, lit)
    bar, middle = style.trim * 0.85, y + height * 0.48
    canvas.rectangle(x - 0.07, y, x + 0.07, y + height * 0.9, bar)
    canvas.rectangle(x - width / 2, middle, x + width / 2, middle + 0.14, bar)
    canvas.rectangle(x - width / 2 - 0.35, y - 0.35, x + width / 2 + 0.35, y - 0.05, style.trim * 1.05)


def clock(canvas: Canvas, style: Style, x: float, y: float, radius: float) -> None:
    """A clock face, at three o'clock."""
    ink = rgb(0.1, 0.1, 0.12)
    canvas.disc(x, y, radius * 1.2, style.trim * 0.6)
    canvas.disc(x, y, radius, (0.96, 0.95, 0.88), 0.5)
    for hour in np.arange(12) * np.pi / 6:
        canvas.disc(x + 0.8 * radius * np.cos(hour), y + 0.8 * radius * np.sin(hour), radius * 0.08, ink)
    canvas.rectangle(x - 0.06 * radius, y, x + 0.06 * radius, y + 0.75 * radius, ink)
    canvas.rectangle(x, y - 0.07 * radius, x + 0.5 * radius, y + 0.07 * radius, ink)


def cornice(canvas: Canvas, style: Style) -> None:
    """The profiled band under the roof and the plinth at the foot."""
    width, top = canvas.width, canvas.height
    canvas.rectangle(0, top - 0.8, width, top, style.trim)
    canvas.rectangle(0, top - 0.95, width, top - 0.8, style.trim * 0.65)
    canvas.rectangle(0, 0, width, 0.5, style.wall * 0.7)
    for x in np.arange(0.2, width, 1.0):
        canvas.rectangle(x, top - 0.7, x + 0.4, top - 0.4, style.trim * 0.8)


def half_columns(canvas: Canvas, style: Style, bays: int) -> None:
    """Columns in low relief between the bays."""
    top, bay = canvas.height, canvas.width / bays
    for edge in range(bays + 1):
        x = np.clip(edge * bay, 0.35, canvas.width - 0.35)
        canvas.rectangle(x - 0.35, 0.6, x + 0.35, top - 0.9, style.trim * 1.02)
        canvas.rectangle(x + 0.1, 0.6, x + 0.35, top - 0.9, style.trim * 0.8)
        canvas.rectangle(x - 0.55, 0, x + 0.55, 0.6, style.trim)
        canvas.rectangle(x - 0.55, top - 1.5, x + 0.55, top - 0.9, style.trim)


def banners(canvas: Canvas, bays: int, rng: np.random.Generator) -> None:
    """Long flags in front of every second bay."""
    colour, bay, height = bright_paint(rng), canvas.width / bays, canvas.height
    for index in range(0, bays, 2):
        x = (index + 0.5) * bay
        canvas.rectangle(x - 0.1 * bay, height * 0.35, x + 0.1 * bay, height * 0.8, colour)
        canvas.disc(x, height * 0.6, bay * 0.07, rgb(0.95, 0.94, 0.9))


def facade(width: float, height: float, style: Style, rng: np.random.Generator, main: bool = False) -> Bytes:
    """A wall with rows of windows; the main one has a door and may have columns, an arcade, banners."""
    canvas = Canvas(width, height)
    masonry(canvas, style, rng)
    bays, storeys = max(1, round(width / style.bay)), max(1, round((height - 0.8) / style.storey))
    bay, storey = width / bays, (height - 0.8) / storeys
    pane_width = bay * rng.uniform(0.36, 0.5)
    pane_height = storey * (0.74 if style.window in ("tall", "pointed arch") else 0.58)
    every = int(rng.integers(2, 5)) if rng.random() < 0.35 else 0  # leave out every so many windows
    door = bays // 2 if bays % 2 else int(rng.integers(bays))
    brightness = rng.choice([0.0, 0.6, 0.8, 1.0])
    lit = brightness * (rng.random((storeys, bays)) < 0.6)
    for floor in range(storeys):
        for column in range(bays):
            x, y = (column + 0.5) * bay, floor * storey
            if main and floor == 0 and column == door:
                continue
            if main and floor == 0 and style.arcade:
                opening(canvas, style, x, 0.1, bay * 0.66, storey * 0.86, kind="round arch", pane=DARK)
            elif not every or (column + floor) % every != every - 1:
                glow = lit[floor, column]
                opening(canvas, style, x, y + 0.2 * storey, pane_width, pane_height, lit=glow)
        if floor:
            canvas.rectangle(0, floor * storey - 0.12, width, floor * storey + 0.28, style.trim)
    if main:
        kind = ("round arch", "rectangle", "pointed arch")[rng.integers(3)]
        leaf = paint(rng) * 0.6
        opening(canvas, style, (door + 0.5) * bay, 0, bay * 0.6, storey * 0.84, kind=kind, pane=leaf)
        if rng.random() < 0.3:
            banners(canvas, bays, rng)
        if style.columns:
            half_columns(canvas, style, bays)
    cornice(canvas, style)
    return canvas.finished()


def rose_window(canvas: Canvas, style: Style, x: float, y: float, radius: float) -> None:
    """A round window with eight spokes."""
    canvas.disc(x, y, radius * 1.25, style.trim)
    canvas.disc(x, y, radius, style.glass, 0.8)
    for angle in np.arange(4) * np.pi / 4:
        spoke = radius * np.array([np.cos(angle), np.sin(angle)])
        side = np.array([-spoke[1], spoke[0]]) * 0.1
        corners = np.stack([spoke + side, side - spoke, -spoke - side, spoke - side])
        canvas.polygon(np.array([x, y]) + corners, style.trim)


def gable(width: float, height: float, style: Style, rng: np.random.Generator) -> Bytes:
    """The triangle under a roof (only the lower half of the picture's sides is seen)."""
    canvas = Canvas(width, height)
    masonry(canvas, style, rng)
    canvas.rectangle(0, 0, width, 0.7, style.trim)
    middle, y, radius = width / 2, height * 0.36, min(width * 0.13, height * 0.27)
    ornament = ("rose", "clock", "window", "holes")[rng.integers(4)]
    if ornament == "rose":
        rose_window(canvas, style, middle, y, radius)
    elif ornament == "clock":
        clock(canvas, style, middle, y, radius)
    elif ornament == "window":
        opening(canvas, style, middle, height * 0.16, width * 0.12, height * 0.42, lit=0.8, kind="round arch")
    else:
        for x in (0.35, 0.5, 0.65):
            canvas.disc(x * width, height * 0.3, min(width * 0.05, height * 0.16), style.trim * 0.7)
    for foot, inner in ((0.0, 0.09), (1.0, 0.91)):
        rake = [(foot * width, 0), (middle, height), (middle, 0.89 * height), (inner * width, 0)]
        canvas.polygon(rake, style.trim)
    return canvas.finished()


def belfry(width: float, height: float, style: Style, rng: np.random.Generator, with_clock: bool) -> Bytes:
    """A tower's wall: a window per storey, at the top a clock or two sound holes."""
    canvas = Canvas(width, height)
    masonry(canvas, style, rng)
    for floor in np.arange(style.storey, height - 4, style.storey * 1.3):
        canvas.rectangle(0, floor, width, floor + 0.3, style.trim)
        sill = floor - style.storey * 0.8
        opening(canvas, style, width / 2, sill, width * 0.2, style.storey * 0.55, lit=0.6)
    if with_clock:
        clock(canvas, style, width / 2, height - width * 0.5, width * 0.32)
    else:
        for x in (0.3, 0.7):
            opening(canvas, style, width * x, height - 4.2, width * 0.22, 3.2, kind="round arch")
    for x in (0, width - 0.6):
        canvas.rectangle(x, 0, x + 0.6, height, style.trim * 0.95)
    canvas.rectangle(0, height - 0.7, width, height, style.trim)
    canvas.rectangle(0, height - 0.9, width, height - 0.7, style.trim * 0.6)
    return canvas.finished()


def tiles(width: float, height: float, style: Style, dormers: int = 0) -> Bytes:
    """A tiled roof, with dormer windows."""
    canvas = Canvas(width, height)
    canvas.rectangle(0, 0, width, height, style.roof)
    for y in np.arange(0, height, 0.7):
        canvas.rectangle(0, y, width, y + 0.16, style.roof * 0.78)
    for x in np.arange(0, width, 1.4):
        canvas.rectangle(x, 0, x + 0.1, height, style.roof * 0.88)
    for index in range(dormers):
        x = (index + 0.5) * width / dormers
        canvas.rectangle(x - 0.9, height * 0.2, x + 0.9, height * 0.62, style.trim)
        cap = [(x - 1.2, height * 0.62), (x, height * 0.85), (x + 1.2, height * 0.62)]
        canvas.polygon(cap, style.roof * 0.6)
        canvas.rectangle(x - 0.5, height * 0.25, x + 0.5, height * 0.56, style.glass, 0.7 * (index % 2))
    return canvas.finished()


def plain(colour: Colour, rng: np.random.Generator) -> Bytes:
    """Smooth stone or lead."""
    canvas = Canvas(1, 1)
    mottled(canvas, np.asarray(colour), rng)
    return canvas.finished()


def ribbed(style: Style) -> Bytes:
    """The metal of a dome: eight vertical ribs on every side."""
    canvas = Canvas(8, 1)
    canvas.rectangle(0, 0, 8, 1, style.roof * 1.05)
    for x in range(8):
        canvas.rectangle(x, 0, x + 0.13, 1, style.roof * 0.84)
    return canvas.finished()
