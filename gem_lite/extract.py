"""Descriptors of pictures, whatever their number, shape and origin."""

import contextlib
import itertools
import os
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm.auto import tqdm

from gem_lite.batches import ErrorHandler, batches_of_one_shape, read_ahead, readable, refuse
from gem_lite.images import Box, ImageError, ImageLike, UInt8Array, read_image, resize_image
from gem_lite.pooling import GeM

Float32Array = npt.NDArray[np.float32]
# A picture with a shorter side than this may be used up by a network's strides; every network takes larger.
SMALL_SIDE = 64


def extract(
    net: nn.Module,
    images: Sequence[ImageLike] | UInt8Array,
    size: float | None = 1024,
    scales: Sequence[float] = (1.0,),
    boxes: Sequence[Box | None] | None = None,
    enlarge: bool = False,
    resample: str = "lanczos",
    *,
    scale_power: float | None = None,
    antialias: bool = False,
    batch_size: int | None = None,
    device: torch.device | str | None = None,
    workers: int | None = None,
    progress: bool = True,
    on_error: str | ErrorHandler = "raise",
) -> Float32Array:
    """Describes pictures with a network; pictures of equal shape go through it together.

    Args:
        net: maps (B, 3, H, W) in 0..1 to L2-normalised (B, D), as `RetrievalNet` does.
        images: paths, PIL images or uint8 arrays (H, W, 3), or one array (N, H, W, 3).
        size: longest side that the network sees, in pixels; None for each picture's own size.
        scales: at which each picture is described; see `describe_at_scales`.
        boxes: for each picture (x1, y1, x2, y2) in its pixels, or None for all of it; see `resize_image`.
        enlarge: whether pictures smaller than `size` are enlarged. The paper's code never does.
        resample: filter of the first resizing: "lanczos" (the paper's code), "bicubic" or "bilinear".
        scale_power: exponent of the mean over scales; by default as `default_scale_power`.
        antialias: whether shrinking to the other scales averages. The paper's code does not.
        batch_size: pictures at once; by default as many as make two million pixels, at most 64.
        device: where to compute. The network is moved there and stays; by default it stays where it is.
        workers: threads that read ahead; by default up to four, none for arrays.
        progress: whether a bar is shown.
        on_error: what happens with a picture that cannot be read: "raise"; "skip" leaves its row NaN and
            warns at the end, naming each; a function is called with row and error, and the row stays NaN.

    Returns:
        (N, D) float32 descriptors in the order of `images`.

    Raises:
        ImageError: naming the first picture that cannot be read, or if none could.
        ValueError: for arguments that do not fit.

    Chapter: 12_your_photographs.
    """
    names = _names(images)
    boxes = [None] * len(names) if boxes is None else list(boxes)
    if len(boxes) != len(names):
        raise ValueError(f"boxes must be one for each of the {len(names)} images, not {len(boxes)}")
    if not scales or not all(scale > 0 for scale in scales):
        raise ValueError(f"scales must be one or more positive numbers, not {tuple(scales)}")
    power = scale_power or default_scale_power(net, scales)
    device = torch.device(device) if device is not None else _device_of(net)

    def prepare(row: int) -> UInt8Array:
        upright = read_image(images[row], names[row])
        return np.asarray(resize_image(upright, size, boxes[row], enlarge, resample, names[row]))

    errors: dict[int, ImageError] = {}
    descriptors: Float32Array | None = None
    read = read_ahead(prepare, len(names), _workers(images, workers))
    # Where a bar is wanted, TQDM_DISABLE still decides: the book build shows one of its own.
    silent = {} if progress else {"disable": True}
    with evaluating(net.to(device)), tqdm(total=len(names), unit="image", **silent) as bar:
        for rows, pixels in batches_of_one_shape(readable(read, errors, on_error), batch_size):
            try:
                described = _described(net, pixels, scales, power, antialias, device, names[rows[0]])
            except _TooSmallError as error:
                for row in rows:
                    refuse(row, ImageError(f"{names[row]}: {error}"), errors, on_error)
                bar.update(len(rows))
                continue
            if descriptors is None:
                descriptors = np.full((len(names), described.shape[1]), np.nan, dtype=np.float32)
            descriptors[rows] = described
            bar.update(len(rows))
    if descriptors is None:
        raise ImageError(f"none of the {len(names)} images could be read; the first: {errors[0]}")
    if errors and on_error == "skip":
        _warn_of(errors, len(names))
    return descriptors


def describe_at_scales(
    net: nn.Module,
    images: Tensor,
    scales: Sequence[float] = (1.0,),
    power: float = 1.0,
    antialias: bool = False,
) -> Tensor:
    """Descriptors of a batch, averaged over scales: (B, 3, H, W) in 0..1 to (B, D).

    The picture is resized by each scale (bilinear), described and L2-normalised; of the descriptors the
    generalised mean with exponent `power` is taken, and L2-normalised again. Negative entries, which
    whitening makes, are raised with their sign kept: where all are positive this is the paper's code.

    Resizing comes before the network subtracts its mean and divides by its standard deviation; bilinear
    resizing commutes with both.

    >>> net = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())  # mean colour: the same at every scale
    >>> describe_at_scales(net, torch.full((1, 3, 8, 8), 0.5), scales=(1, 0.5))
    tensor([[0.5774, 0.5774, 0.5774]])

    Chapter: 09_scales.
    """
    if tuple(scales) == (1.0,):
        descriptors: Tensor = net(images)
        return descriptors
    described = []
    for scale in scales:
        resized = images
        if scale != 1:
            resized = F.interpolate(
                images, scale_factor=scale, mode="bilinear", align_corners=False, antialias=antialias
            )
        described.append(net(resized))
    return mean_over_scales(described, power)


def mean_over_scales(described: Sequence[Tensor], power: float = 1.0) -> Tensor:
    """The generalised mean, with exponent `power`, of descriptors (B, D) at each scale, L2-normalised.

    >>> mean_over_scales([torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])])
    tensor([[0.7071, 0.7071]])

    Chapter: 09_scales.
    """
    total: Tensor | float = 0.0
    for descriptors in described:
        total = total + signed_power(descriptors, power)
    mean = torch.as_tensor(total) / len(described)
    return F.normalize(signed_power(mean, 1 / power), dim=1)


def signed_power(x: Tensor, power: float) -> Tensor:
    """sign(x) |x|^power, which is finite where x^power is not a number.

    >>> signed_power(torch.tensor([-4.0, 0.0, 4.0]), 0.5)
    tensor([-2., 0., 2.])
    """
    return x if power == 1 else x.sign() * x.abs() ** power


def default_scale_power(net: nn.Module, scales: Sequence[float]) -> float:
    """Exponent of the mean over scales: the network's p for a GeM network without whitening, else 1.

    That is the rule of the paper's code. It takes 1 for one scale and where every channel has its own p.
    """
    pool = getattr(net, "pool", None)
    if len(scales) == 1 or not isinstance(pool, GeM) or getattr(net, "whiten", None) is not None:
        return 1.0
    return max(float(pool.p.detach()), 1.0) if pool.p.numel() == 1 else 1.0


@contextlib.contextmanager
def evaluating(net: nn.Module) -> Iterator[None]:
    """Network in evaluation mode and no gradients; afterwards every layer is in the mode it was in."""
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for module, training in modes:
            module.training = training


def _names(images: Sequence[ImageLike] | UInt8Array) -> list[str]:
    """How the messages call each image."""
    if isinstance(images, str | os.PathLike):
        raise ValueError("images must be a list: for one picture write [path]")
    if isinstance(images, np.ndarray) and images.ndim != 4:
        raise ValueError(
            f"an array of images must be (N, H, W, 3), not {images.shape}; one image: image[None]"
        )
    if len(images) == 0:
        raise ValueError("there are no images to describe")
    return [
        f"image {row} ({image})" if isinstance(image, str | os.PathLike) else f"image {row}"
        for row, image in enumerate(images)
    ]


def _workers(images: Sequence[ImageLike] | UInt8Array, workers: int | None) -> int:
    if workers is not None:
        return workers
    return 0 if isinstance(images[0], np.ndarray) else min(4, os.cpu_count() or 1)


def _device_of(net: nn.Module) -> torch.device:
    for tensor in itertools.chain(net.parameters(), net.buffers()):
        return tensor.device
    return torch.device("cpu")


class _TooSmallError(ValueError):
    """Pictures that a network's strides use up."""


def _described(
    net: nn.Module,
    pixels: UInt8Array,
    scales: Sequence[float],
    power: float,
    antialias: bool,
    device: torch.device,
    name: str,
) -> Float32Array:
    images = torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float() / 255
    try:
        descriptors = describe_at_scales(net, images, scales, power, antialias)
    except RuntimeError as error:
        height, width = images.shape[2:]
        least = min(height, width) * min(*scales, 1.0)
        if least < SMALL_SIDE and not isinstance(error, torch.OutOfMemoryError):
            raise _TooSmallError(
                f"{width} by {height} pixels at scales {tuple(scales)} are too small for it ({error})"
            ) from error
        raise RuntimeError(
            f"the network failed on {len(images)} pictures of {width} by {height} pixels, the first is "
            f"{name}, at scales {tuple(scales)}: too small for it, or too many for the memory? {error}"
        ) from error
    return np.asarray(descriptors.float().cpu().numpy())


def _warn_of(errors: dict[int, ImageError], count: int) -> None:
    lines = "\n".join(f"  {error}" for error in errors.values())
    warnings.warn(
        f"{len(errors)} of {count} images could not be read, their rows are NaN:\n{lines}", stacklevel=3
    )
