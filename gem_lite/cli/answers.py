"""One picture of queries and their answers, side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from gem_lite.cache import written_atomically
from gem_lite.images import ImageError, read_image, resize_image

SIDE, GAP, LINE = 160, 10, 18


def draw(
    target: Path, found: Sequence[dict[str, Any]], folder: Path, box: Sequence[float] | None = None
) -> None:
    """Writes rows of pictures: a query with a frame, then its answers with their cosines below.

    Args:
        target: of the picture; its suffix chooses the format.
        found: for each query `query`, a path, and `answers`, pairs of name and cosine.
        folder: of the answers.
        box: that was asked with; drawn into the query.
    """
    columns = 1 + max(len(each["answers"]) for each in found)
    cell, height = SIDE + GAP, SIDE + GAP + LINE
    sheet = Image.new("RGB", (columns * cell + GAP, len(found) * height + GAP), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for row, each in enumerate(found):
        top = GAP + row * height
        shown = [(Path(each["query"]), "query")]
        shown += [(folder / name, f"{cosine:.3f}") for name, cosine in each["answers"]]
        for column, (path, text) in enumerate(shown):
            left = GAP + column * cell
            tile, scale = _tile(path)
            x, y = left + (SIDE - tile.width) // 2, top + (SIDE - tile.height) // 2
            sheet.paste(tile, (x, y))
            if column == 0:
                corners: list[float] = [x, y, x + tile.width - 1, y + tile.height - 1]
                if box is not None:
                    corners = [x + box[0] * scale, y + box[1] * scale, x + box[2] * scale, y + box[3] * scale]
                pen.rectangle(corners, outline="#c2410c", width=3)
            pen.text((left + SIDE / 2, top + SIDE + 2), text, fill="#333333", font=font, anchor="ma")
    with written_atomically(target) as temporary:
        sheet.save(temporary)


def _tile(path: Path) -> tuple[Image.Image, float]:
    """A thumbnail and its scale; a grey square where the picture is gone."""
    try:
        full = read_image(path)
    except ImageError:
        return Image.new("RGB", (SIDE, SIDE), "#dddddd"), 1.0
    small = resize_image(full, SIDE)
    return small, small.width / full.width
