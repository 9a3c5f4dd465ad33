"""One result as a small drawing: tolerance, the seeds it was measured on, expected, and now."""

from gem_lite.report import Value

from .compare import Row
from .values import parts

WIDTH, HEIGHT, REACH = 180, 26, 3.0  # the drawing shows three tolerances to either side


def strip(row: Row) -> str:
    """SVG of the first number of a result; empty where there is nothing to draw.

    The band is the tolerance, grey ticks are seeds, the line is what was expected, the dot is now. What lies
    beyond the drawing becomes an arrow at its edge.
    """
    old = row.expectation
    if old is None or not old.tolerance or row.now is None or not old.tolerance[0]:
        return ""
    length = old.tolerance[0]
    centre = parts(old.value).numbers[0]

    def place(value: Value) -> float | None:
        numbers = parts(value).numbers
        return (numbers[0] - centre) / length if numbers else None

    seeds = [x for value in old.seeds.values() if (x := place(value)) is not None]
    now = place(row.now)
    if now is None:
        return ""
    label = f"{row.size:.3g} tolerances from what was expected"
    marks = "".join(_tick(x) for x in seeds if abs(x) <= REACH)
    return (
        f'<svg class="strip" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
        f'aria-label="{label}"><line class="axis" x1="0" x2="{WIDTH}" y1="13" y2="13"/>'
        f'<rect class="band" x="{_x(-1):.1f}" width="{_x(1) - _x(-1):.1f}" y="5" height="16" rx="3"/>'
        f'{marks}<line class="was" x1="{_x(0):.1f}" x2="{_x(0):.1f}" y1="3" y2="23"/>{_dot(now)}</svg>'
    )


def _x(tolerances: float) -> float:
    return WIDTH / 2 + tolerances * (WIDTH / 2 - 10) / REACH


def _tick(tolerances: float) -> str:
    x = _x(tolerances)
    return f'<line class="seed" x1="{x:.1f}" x2="{x:.1f}" y1="8" y2="18"/>'


def _dot(tolerances: float) -> str:
    kind = "now out" if abs(tolerances) > 1 else "now"
    if abs(tolerances) <= REACH:
        return f'<circle class="{kind}" cx="{_x(tolerances):.1f}" cy="13" r="5"/>'
    tip, back = (WIDTH - 1, WIDTH - 11) if tolerances > 0 else (1, 11)
    return f'<path class="{kind}" d="M{tip} 13L{back} 7V19Z"/>'
