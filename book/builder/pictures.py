"""Pictures of a staged notebook in the format that suits them: photographs as PNG make a heavy page."""

import base64
import io
from typing import Any

from PIL import Image

WORTH_IT = 150_000  # bytes; smaller files are left as they are
GAIN = 3  # a picture that JPEG makes that many times smaller is a photograph, not a drawing
QUALITY = 88


def lighter(notebook: Any) -> Any:
    """The notebook, its heavy PNG pictures turned into JPEG where that makes them much smaller.

    Lines and letters stay sharp: a drawing gains little and is left alone.
    """
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data and (smaller := _as_jpeg(base64.b64decode(data["image/png"]))):
                del data["image/png"]
                data["image/jpeg"] = base64.b64encode(smaller).decode()
    return notebook


def _as_jpeg(png: bytes) -> bytes | None:
    """The picture as JPEG on white; None where that is not worth it."""
    if len(png) < WORTH_IT:
        return None
    picture = Image.open(io.BytesIO(png)).convert("RGBA")
    ground = Image.new("RGBA", picture.size, "white")
    file = io.BytesIO()
    Image.alpha_composite(ground, picture).convert("RGB").save(file, "JPEG", quality=QUALITY, optimize=True)
    return file.getvalue() if file.tell() * GAIN < len(png) else None
