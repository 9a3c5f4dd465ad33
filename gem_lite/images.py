"""From files and arrays to upright RGB pictures of the wanted size."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

UInt8Array = npt.NDArray[np.uint8]
ImageLike = str | Path | npt.NDArray[Any] | Image.Image
Box = Sequence[float]

RESAMPLING = {
    "lanczos": Image.Resampling.LANCZOS,
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
}


class ImageError(ValueError):
    """A picture that cannot be read or used; the message names it."""


def read_image(image: ImageLike, name: str | None = None) -> Image.Image:
    """An upright 8-bit RGB picture, whatever the file or array holds.

    The camera's orientation (EXIF) is applied; grey, palette, CMYK and 16-bit pictures become RGB;
    transparency is laid on white; of an animation the first frame is taken.

    Args:
        image: a path, a PIL image, or a uint8 array (H, W), (H, W, 3) or (H, W, 4).
        name: for the messages; by default the path.

    Raises:
        ImageError: if it is missing, corrupt, no picture, or of a kind whose range of values is not known.

    >>> read_image(np.zeros((2, 3), dtype=np.uint8)).size
    (3, 2)
    """
    name = name or (str(image) if isinstance(image, str | Path) else "the image")
    if isinstance(image, np.ndarray):
        image = _from_array(image, name)
    try:
        if isinstance(image, Image.Image):
            return _to_rgb(image)
        if (path := Path(image)).exists() and not (path.is_file() or path.is_dir()):
            raise ValueError("a pipe or a device, which might never end")
        with Image.open(image) as opened:
            return _to_rgb(opened)
    except FileNotFoundError:
        raise ImageError(f"{name}: there is no such file") from None
    except Exception as error:  # Pillow's decoders fail on damaged files in every way there is
        raise ImageError(f"{name}: not a readable picture ({error})") from error


def _from_array(pixels: npt.NDArray[Any], name: str) -> Image.Image:
    channels = pixels.shape[2:]
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or channels not in ((), (3,), (4,)):
        raise ImageError(
            f"{name}: an image array must be uint8 of shape (H, W), (H, W, 3) or (H, W, 4), "
            f"not {pixels.dtype} of shape {pixels.shape}"
        )
    if 0 in pixels.shape:
        raise ImageError(f"{name}: the image array is empty, its shape is {pixels.shape}")
    return Image.fromarray(pixels)


def _to_rgb(image: Image.Image) -> Image.Image:
    image.load()
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        image = _sixteen_to_eight_bits(image)
    if image.mode == "F":
        raise ValueError("floating-point pixels have no agreed range; save it with 8 or 16 bits")
    if image.has_transparency_data:
        opaque = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(opaque, image.convert("RGBA"))
    return image.convert("RGB")


def _sixteen_to_eight_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise ValueError("32-bit pixels have no agreed range; save it with 8 or 16 bits")
    # 65535 / 255 = 257, so that black stays black and white stays white.
    return Image.fromarray(np.round(values / 257).astype(np.uint8))


def resize_image(
    image: Image.Image,
    size: float | None,
    box: Box | None = None,
    enlarge: bool = False,
    resample: str = "lanczos",
    name: str = "the image",
) -> Image.Image:
    """The picture, or the part of it in a box, at the size the network is to see.

    The longer side becomes at most `size`. A box is cut out of the full picture and then keeps the scale that
    it would have in the resized picture: its size is `size` × longest side of the box / longest side of the
    picture, as in the paper's code.

    Args:
        image: as `read_image` gives it.
        size: of the longer side, in pixels; None leaves it as it is.
        box: (x1, y1, x2, y2) in pixels of `image`; the part outside of the picture is left out.
        enlarge: whether smaller pictures are made larger, too.
        resample: "lanczos", "bicubic" or "bilinear", Pillow's filters; all average over what they shrink.
        name: for the messages.

    Raises:
        ImageError: if the box holds no pixel of the picture.
        ValueError: for an unknown filter, or a size below 1.

    >>> resize_image(Image.new("RGB", (400, 300)), 200).size
    (200, 150)
    >>> resize_image(Image.new("RGB", (400, 300)), 200, box=(0, 0, 100, 50)).size
    (50, 25)
    """
    if resample not in RESAMPLING:
        raise ValueError(f"unknown resample {resample!r}; known: {', '.join(RESAMPLING)}")
    if size is not None and not size >= 1:
        raise ValueError(f"size must be at least one pixel, not {size}")
    full_side = max(image.size)
    if box is not None:
        image = image.crop(_box_in(image, box, name))
    if size is None:
        return image
    target = fitted_size(image.width, image.height, size * max(image.size) / full_side)
    if target == image.size or (max(target) > max(image.size) and not enlarge):
        return image
    return image.resize(target, RESAMPLING[resample])


def _box_in(image: Image.Image, box: Box, name: str) -> tuple[int, int, int, int]:
    x1, y1, x2, y2 = (round(float(side)) for side in box)
    x1, y1, x2, y2 = max(x1, 0), max(y1, 0), min(x2, image.width), min(y2, image.height)
    if x1 >= x2 or y1 >= y2:
        raise ImageError(
            f"{name}: the box {tuple(box)} holds no pixel of a picture {image.width} by {image.height}"
        )
    return x1, y1, x2, y2


def fitted_size(width: int, height: int, size: float) -> tuple[int, int]:
    """Width and height of the same aspect ratio with `size` (rounded down) for the longer side.

    The shorter side is rounded to the neighbour that keeps the aspect ratio best, as in Pillow's thumbnails.

    >>> fitted_size(640, 427, 362)
    (362, 242)

    Chapter: 12_your_photographs.
    """
    longer = max(math.floor(size), 1)
    shorter = longer * min(width, height) / max(width, height)
    roundings = [max(side, 1) for side in (math.floor(shorter), math.ceil(shorter))]
    candidates = [(longer, side) if width >= height else (side, longer) for side in roundings]
    return min(candidates, key=lambda fitted: abs(fitted[0] / fitted[1] - width / height))
