"""A small run and what is expected of it."""

import io
from pathlib import Path

from PIL import Image, ImageDraw

from book.regress.accept import expectations
from book.regress.expected import Expected
from book.regress.pictures import Picture
from book.regress.runs import ChapterRun, Run
from gem_lite.report import Record, Value

BEFORE: dict[str, Record] = {
    "map_gem": Record(60.0, "%", True, "test"),
    "map_mac": Record(50.0, "%", True),
    "norm": Record(1.0, tolerance=1e-5),
    "queries": Record(70),
    "verdict": Record("a gain"),
    "gap": Record("+2.0 (−1.0 to +5.0)", "points"),
    "seconds": Record(3.5, "s", compared=False),
}
ELSEWHERE: dict[str, tuple[Value, Value]] = {"map_gem": (61.0, 62.0), "map_mac": (50.5, 51.0)}


def picture(name: str = "fig-a", line: bool = False) -> Picture:
    image = Image.new("RGB", (300, 120), "white")
    ImageDraw.Draw(image).rectangle((20, 20, 120, 100), fill="navy")
    if line:
        ImageDraw.Draw(image).line((0, 0, 300, 120), fill="red", width=8)
    file = io.BytesIO()
    image.save(file, "PNG")
    return Picture(name, "image/png", file.getvalue())


def run(records: dict[str, Record], line: bool = False, **environment: str) -> Run:
    where = {"processor": "a processor", "cores": "2", "torch": "2.15"} | environment
    one = picture(line=line)
    return Run({"01_a": ChapterRun(records, {one.name: one}, 2.0, "2026-01-01T00:00:00+00:00")}, where)


def expected() -> Expected:
    seeds: dict[str, dict[str, Value]] = {}
    for name, record in BEFORE.items():
        others = ELSEWHERE.get(name, (record.value, record.value))
        seeds[name] = dict(zip("012", (record.value, *others), strict=True))
    fingerprints = {"01_a": {"fig-a": picture().fingerprint}}
    history = [{"date": "2026-01-01", "reason": "the first"}]
    results = {"01_a": expectations(BEFORE, seeds, trained=True)}
    return Expected("tiny", results, fingerprints, {"01_a": 1.0}, {"torch": "2.14"}, history)


def write_figure(root: Path) -> None:
    from book.regress.figures import keep_figures

    keep_figures(root, "tiny", "01_a", [picture()])
