"""Every kind of picture becomes upright RGB or is named; sizes are the reference's."""

import io
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gem_lite.images import ImageError, fitted_size, read_image, resize_image

RNG = np.random.default_rng(0)
COLOURS = RNG.integers(0, 256, size=(6, 9, 3), dtype=np.uint8)


def saved(tmp_path, image, name, **options):
    path = tmp_path / name
    image.save(path, **options)
    return path


def pixels(image):
    return np.asarray(read_image(image))


def test_colours_come_through_unchanged(tmp_path):
    path = saved(tmp_path, Image.fromarray(COLOURS), "colours.png")
    for source in (path, str(path), COLOURS, Image.fromarray(COLOURS)):
        np.testing.assert_array_equal(pixels(source), COLOURS)


def test_grey_arrays_and_files_get_three_equal_channels(tmp_path):
    grey = COLOURS[..., 0]
    for source in (grey, saved(tmp_path, Image.fromarray(grey), "grey.png")):
        np.testing.assert_array_equal(pixels(source), np.repeat(grey[..., None], 3, axis=2))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_cameras_orientation_is_applied(tmp_path, orientation):
    # What a camera stores when it is held so that `COLOURS` is the upright picture.
    turn = {
        1: lambda x: x,
        2: lambda x: x[:, ::-1],
        3: lambda x: x[::-1, ::-1],
        4: lambda x: x[::-1],
        5: lambda x: x.swapaxes(0, 1),
        6: lambda x: np.rot90(x),
        7: lambda x: np.rot90(x.swapaxes(0, 1), 2),
        8: lambda x: np.rot90(x, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(turn(COLOURS)))
    np.testing.assert_array_equal(pixels(saved(tmp_path, stored, "turned.png", exif=exif)), COLOURS)


def test_transparency_is_laid_on_white(tmp_path):
    alpha = np.zeros((6, 9), dtype=np.uint8)
    alpha[:, :4] = 255
    path = saved(tmp_path, Image.fromarray(np.dstack([COLOURS, alpha])), "alpha.png")
    for source in (path, np.dstack([COLOURS, alpha])):
        np.testing.assert_array_equal(pixels(source)[:, :4], COLOURS[:, :4])
        assert (pixels(source)[:, 4:] == 255).all()


def test_sixteen_bits_keep_black_grey_and_white(tmp_path):
    deep = np.array([[0, 128 * 257, 65535]], dtype=np.uint16)
    path = saved(tmp_path, Image.fromarray(deep), "deep.png")
    assert pixels(path)[0, :, 0].tolist() == [0, 128, 255]


def test_cmyk_and_palette_become_rgb(tmp_path):
    red = Image.new("RGB", (8, 8), (255, 0, 0))
    for path in (
        saved(tmp_path, red.convert("CMYK"), "cmyk.jpg", quality=100),
        saved(tmp_path, red.convert("P"), "palette.gif"),
        saved(tmp_path, red.convert("1"), "bits.png"),
    ):
        assert read_image(path).mode == "RGB"
    np.testing.assert_allclose(pixels(tmp_path / "cmyk.jpg")[0, 0], [255, 0, 0], atol=3)
    assert pixels(tmp_path / "palette.gif")[0, 0].tolist() == [255, 0, 0]


def test_of_an_animation_the_first_frame_is_taken(tmp_path):
    frames = [Image.new("L", (4, 4), value) for value in (10, 200)]
    path = saved(tmp_path, frames[0], "moving.gif", save_all=True, append_images=frames[1:])
    assert (pixels(path) == 10).all()


def test_files_that_are_no_picture_are_named(tmp_path):
    whole = io.BytesIO()
    Image.fromarray(np.tile(COLOURS, (20, 20, 1))).save(whole, "jpeg")
    contents = {
        "text.jpg": b"not a picture",
        "empty.png": b"",
        "cut.jpg": whole.getvalue()[: len(whole.getvalue()) // 2],
        "broken.png": b"\x89PNG\r\n\x1a\n" + b"\0" * 40,
    }
    for name, content in contents.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(ImageError, match=rf"{name}: not a readable picture"):
            read_image(path)
    with pytest.raises(ImageError, match=r"absent\.jpg: there is no such file"):
        read_image(tmp_path / "absent.jpg")
    with pytest.raises(ImageError, match="not a readable picture"):
        read_image(tmp_path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(ImageError, match=r"pipe\.jpg: not a readable picture \(a pipe or a device"):
        read_image(tmp_path / "pipe.jpg")


def test_values_of_unknown_range_are_refused(tmp_path):
    path = saved(tmp_path, Image.fromarray(np.ones((3, 3), dtype=np.float32)), "float.tif")
    with pytest.raises(ImageError, match="no agreed range"):
        read_image(path)
    path = saved(tmp_path, Image.fromarray(np.full((3, 3), 70000, dtype=np.int32)), "int.tif")
    with pytest.raises(ImageError, match="no agreed range"):
        read_image(path)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 3)),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_arrays_that_are_no_image_are_refused(array):
    with pytest.raises(ImageError, match="image 7: "):
        read_image(array, "image 7")


@given(width=st.integers(1, 3000), height=st.integers(1, 3000), size=st.floats(1, 3000))
def test_sizes_are_those_of_pillows_thumbnails(width, height, size):
    image = Image.new("1", (width, height))
    image.thumbnail((size, size))
    expected = image.size if size < max(width, height) else (width, height)
    assert resize_image(Image.new("1", (width, height)), size).size == expected


def test_size_none_leaves_the_picture_alone():
    image = Image.fromarray(COLOURS)
    assert resize_image(image, None) is image
    assert resize_image(image, None, box=(1, 1, 4, 3)).size == (3, 2)


def test_pictures_are_enlarged_on_request_only():
    image = Image.new("RGB", (100, 50))
    assert resize_image(image, 200).size == (100, 50)
    assert resize_image(image, 200, enlarge=True).size == (200, 100)


def test_a_box_keeps_the_scale_it_has_in_the_resized_picture():
    image = Image.new("RGB", (1000, 500))
    assert resize_image(image, 500, box=(100, 100, 300, 400)).size == (100, 150)  # half of 200 by 300
    assert resize_image(image, 500, box=(-50.2, -3, 199.6, 100.4)).size == (100, 50)  # the rest is cut off
    assert resize_image(image, 2000, box=(0, 0, 100, 50)).size == (100, 50)
    assert resize_image(image, 2000, box=(0, 0, 100, 50), enlarge=True).size == (200, 100)


def test_lanczos_is_plain_and_takes_no_short_cut():
    """Today's Pillow thumbnails first shrink by whole factors; those of the reference's day did not."""
    image = Image.fromarray(np.random.default_rng(1).integers(0, 256, (600, 800, 3), dtype=np.uint8))
    plain = np.asarray(image.resize((100, 75), Image.Resampling.LANCZOS))
    np.testing.assert_array_equal(np.asarray(resize_image(image, 100)), plain)
    short_cut = image.copy()
    short_cut.thumbnail((100, 100), Image.Resampling.LANCZOS)
    assert np.abs(np.asarray(short_cut, dtype=int) - plain).max() > 0


def test_a_box_beside_the_picture_is_refused():
    with pytest.raises(
        ImageError, match=r"q\.jpg: the box \(50, 0, 60, 9\) holds no pixel of a picture 9 by 6"
    ):
        resize_image(Image.fromarray(COLOURS), 10, box=(50, 0, 60, 9), name="q.jpg")


def test_unknown_filter_and_size_are_refused():
    image = Image.fromarray(COLOURS)
    with pytest.raises(ValueError, match="known: lanczos, bicubic, bilinear"):
        resize_image(image, 5, resample="nearest")
    with pytest.raises(ValueError, match="at least one pixel"):
        resize_image(image, 0)


def test_fitted_size_never_reaches_zero():
    assert fitted_size(1000, 1, 10) == (10, 1)
    assert fitted_size(1, 1000, 10) == (1, 10)
