"""Pictures from anywhere: each is read right or named, and never ends a run, hangs it or passes unnoticed."""

import io
import random
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from gem_lite.extract import extract
from gem_lite.images import ImageError, read_image
from gem_lite.network import build_network

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 56, 3), dtype=np.uint8)
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "PPM", "JPEG2000")


def encoded(image_format, image=None, **options):
    buffer = io.BytesIO()
    (image or Image.fromarray(PIXELS)).save(buffer, image_format, **options)
    return buffer.getvalue()


def damaged(content, seed):
    """A few bytes changed, mostly near the start where the headers are, and sometimes cut."""
    rng, changed = random.Random(seed), bytearray(content)
    for _ in range(rng.randint(1, 20)):
        changed[rng.randrange(min(len(changed), rng.choice([40, len(changed)])))] = rng.randrange(256)
    return bytes(changed[: rng.randrange(len(changed))] if rng.random() < 0.3 else changed)


@pytest.mark.parametrize("image_format", FORMATS)
@pytest.mark.filterwarnings("ignore")  # Pillow's, of what it finds odd
def test_damaged_files_are_read_or_named(tmp_path, image_format):
    content, outcomes = encoded(image_format), []
    for seed in range(60):
        (tmp_path / "it").write_bytes(damaged(content, seed))
        started = time.perf_counter()
        try:
            image = read_image(tmp_path / "it")
        except ImageError as error:
            assert "it: not a readable picture" in str(error)  # noqa: PT017
            outcomes.append("named")
        else:
            assert image.mode == "RGB"
            assert min(image.size) > 0
            outcomes.append("read")
            if image_format == "PNG":  # which has checksums: what is read is right
                np.testing.assert_array_equal(np.asarray(image), PIXELS)
        assert time.perf_counter() - started < 20
    assert outcomes.count("named") > 30


@pytest.mark.parametrize("image_format", [name for name in FORMATS if name != "JPEG2000"])
@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9])
def test_cut_files_are_named(tmp_path, image_format, share):
    content = encoded(image_format)
    (tmp_path / "cut").write_bytes(content[: int(share * len(content))])
    with pytest.raises(ImageError, match="cut: not a readable picture"):
        read_image(tmp_path / "cut")


def png(width, height, depth=8, colour=2, pixels=b""):
    """A PNG whose header claims any size."""

    def chunk(kind, content):
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize("side", [40_000, 2**31 - 1])
def test_a_picture_that_claims_to_be_huge_is_refused_at_once(tmp_path, side):
    (tmp_path / "huge.png").write_bytes(png(side, side))
    with pytest.raises(ImageError, match=r"huge\.png: .*exceeds limit"):
        read_image(tmp_path / "huge.png")


def test_a_picture_without_any_pixel_is_named(tmp_path):
    (tmp_path / "none.png").write_bytes(png(0, 0))
    with pytest.raises(ImageError, match=r"none\.png"):
        read_image(tmp_path / "none.png")


def test_sixteen_bits_of_three_colours(tmp_path):
    """Pillow drops the low eight bits: at most one grey level below the exact value."""
    deep = np.random.default_rng(1).integers(0, 65536, (5, 7, 3), dtype=np.uint16)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in deep)
    (tmp_path / "deep.png").write_bytes(png(7, 5, 16, 2, rows))
    found = np.asarray(read_image(tmp_path / "deep.png")).astype(float)
    assert np.abs(found - deep / 257).max() <= 1


@pytest.mark.parametrize("image_format", ["PNG", "GIF", "TIFF", "WEBP"])
def test_animations_give_their_first_frame(tmp_path, image_format):
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    options = {"lossless": True} if image_format == "WEBP" else {}
    (tmp_path / "moving").write_bytes(
        encoded(image_format, frames[0], save_all=True, append_images=frames[1:], **options)
    )
    assert np.asarray(read_image(tmp_path / "moving"))[4, 4].tolist() == [255, 0, 0]


@pytest.mark.parametrize("orientation", [0, 9, 99, 255])
def test_an_orientation_that_does_not_exist_changes_nothing(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    (tmp_path / "odd.png").write_bytes(encoded("PNG", exif=exif))
    np.testing.assert_array_equal(np.asarray(read_image(tmp_path / "odd.png")), PIXELS)


def test_a_folder_of_everything_is_described_where_it_can_be(tmp_path):
    """Good pictures get the descriptors that they get alone; the others are NaN, and each is named."""
    exif = Image.Exif()
    exif[0x0112] = 6
    files = {
        "good.png": encoded("PNG"),
        "cut.jpg": encoded("JPEG")[:500],
        "empty.jpg": b"",
        "turned.png": encoded("PNG", Image.fromarray(np.rot90(PIXELS)), exif=exif),
        "cmyk.tif": encoded("TIFF", Image.fromarray(PIXELS).convert("CMYK")),
        "page.jpg": b"<html>not found</html>",
        "huge.png": png(40_000, 40_000),
        "dot.png": encoded("PNG", Image.new("RGB", (1, 1))),
        "also_good.png": encoded("PNG"),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    net = build_network("compact", channels=(8, "M", 16))
    with pytest.warns(UserWarning, match="5 of 9 images could not be read") as caught:
        found = extract(net, [tmp_path / name for name in files], on_error="skip", progress=False)
    alone = extract(net, [PIXELS], progress=False)[0]
    lost = [name for name, row in zip(files, found, strict=True) if np.isnan(row).all()]
    assert lost == ["cut.jpg", "empty.jpg", "page.jpg", "huge.png", "dot.png"]
    assert all(name in str(caught[0].message) for name in lost)
    rows = dict(zip(files, found, strict=True))
    for name in ("good.png", "also_good.png", "turned.png"):
        np.testing.assert_allclose(rows[name], alone, atol=1e-6, err_msg=name)
    np.testing.assert_allclose(rows["cmyk.tif"], alone, atol=0.05)
