"""Descriptors do not depend on batching, scales follow the reference, failures are reported."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from gem_lite.extract import default_scale_power, describe_at_scales, evaluating, extract
from gem_lite.images import ImageError
from gem_lite.network import RetrievalNet, build_network
from gem_lite.pooling import MAC, GeM


@pytest.fixture(scope="module")
def net():
    return build_network("compact", pooling="gem", channels=(8, "M", 16))


def pictures(shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, size=(*shape, 3), dtype=np.uint8) for shape in shapes]


def one_by_one(net, images):
    with torch.no_grad():
        tensors = [torch.from_numpy(image).permute(2, 0, 1).float()[None] / 255 for image in images]
        return np.concatenate([net(tensor).numpy() for tensor in tensors])


def test_mixed_shapes_come_back_in_order(net):
    images = pictures([(40, 48), (48, 40), (40, 48), (64, 64), (48, 40), (40, 48)])
    expected = one_by_one(net, images)
    for batch_size in (None, 1, 2):
        found = extract(net, images, batch_size=batch_size, progress=False)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_one_array_a_list_of_arrays_and_files_are_the_same(net, tmp_path):
    images = np.stack(pictures([(40, 40)] * 5))
    paths = []
    for row, image in enumerate(images):
        paths.append(tmp_path / f"{row}.png")
        Image.fromarray(image).save(paths[-1])
    expected = extract(net, images, progress=False)
    for other in (list(images), paths, [str(path) for path in paths], [Image.open(path) for path in paths]):
        np.testing.assert_allclose(extract(net, other, progress=False), expected, atol=1e-6)
    np.testing.assert_allclose(extract(net, paths, workers=0, progress=False), expected, atol=1e-6)


def test_the_network_sees_the_size_that_was_asked_for():
    seen = []

    class Spy(nn.Module):
        def forward(self, x):
            seen.append(tuple(x.shape))
            assert x.dtype == torch.float32
            assert 0 <= x.min() <= x.max() <= 1
            return F.normalize(x.mean((2, 3)), dim=1)

    image = pictures([(60, 80)])
    extract(Spy(), image, size=40, progress=False)
    extract(Spy(), image, size=160, progress=False)
    extract(Spy(), image, size=160, enlarge=True, progress=False)
    extract(Spy(), image, size=40, boxes=[(0, 0, 40, 20)], progress=False)
    extract(Spy(), image, size=40, scales=(1, 0.5), progress=False)
    assert [shape[2:] for shape in seen] == [(30, 40), (60, 80), (120, 160), (10, 20), (30, 40), (15, 20)]


def reference_multi_scale(net, image, scales, power):
    """Mean over scales as `method.md` 1.7 writes it down."""
    total = 0
    with torch.no_grad():
        normalised = (image - net.mean) / net.std
        for scale in scales:
            resized = F.interpolate(normalised, scale_factor=scale, mode="bilinear", align_corners=False)
            total = total + F.normalize(net.pool(net.backbone(resized)), dim=1) ** power
        mean = (total / len(scales)) ** (1 / power)
        return mean / mean.norm()


@pytest.mark.parametrize("power", [1.0, 2.0, 2.7])
def test_scales_are_averaged_as_in_the_reference(net, power):
    scales = (1, 2**-0.5, 0.5)
    (image,) = pictures([(64, 80)])
    tensor = torch.from_numpy(image).permute(2, 0, 1).float()[None] / 255
    expected = reference_multi_scale(net, tensor, scales, power)
    found = extract(net, [image], scales=scales, scale_power=power, progress=False)
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-6)


def test_signed_descriptors_stay_finite_at_any_power():
    torch.manual_seed(0)  # whatever ran before: now and then all of a few random weights are positive
    net = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 8))
    descriptors = describe_at_scales(net, torch.rand(4, 3, 16, 16), scales=(1, 0.5), power=2.92)
    assert (descriptors < 0).any()
    assert torch.isfinite(descriptors).all()
    torch.testing.assert_close(descriptors.norm(dim=1), torch.ones(4))


def test_the_mean_over_scales_takes_the_networks_p_where_the_reference_does(net):
    body = nn.Conv2d(3, 4, 3)
    learned = RetrievalNet(body, GeM(2.5))
    assert default_scale_power(learned, (1, 0.5)) == 2.5
    assert default_scale_power(learned, (1,)) == 1
    assert default_scale_power(RetrievalNet(body, GeM(2.5), whiten=nn.Linear(4, 4)), (1, 0.5)) == 1
    assert default_scale_power(RetrievalNet(body, MAC()), (1, 0.5)) == 1
    assert default_scale_power(RetrievalNet(body, GeM(2.5, channels=4)), (1, 0.5)) == 1
    assert default_scale_power(body, (1, 0.5)) == 1


def test_antialias_is_off_unless_asked_for_and_makes_a_difference(net):
    image = pictures([(64, 64)])
    plain = extract(net, image, scales=(0.5,), progress=False)
    averaged = extract(net, image, scales=(0.5,), antialias=True, progress=False)
    assert np.abs(plain - averaged).max() > 1e-4


@pytest.fixture
def folder(tmp_path):
    """Two good pictures with a bad one between them."""
    for name in ("a.png", "c.png"):
        Image.fromarray(pictures([(40, 40)])[0]).save(tmp_path / name)
    (tmp_path / "b.png").write_bytes(b"nothing")
    return [tmp_path / name for name in ("a.png", "b.png", "c.png")]


def test_a_bad_file_is_named(net, folder):
    with pytest.raises(ImageError, match=r"image 1 \(.*b\.png\): not a readable picture"):
        extract(net, folder, progress=False)


def test_a_bad_file_is_skipped_and_reported_on_request(net, folder):
    with pytest.warns(UserWarning, match=r"1 of 3 images could not be read.*\n.*b\.png"):
        found = extract(net, folder, progress=False, on_error="skip")
    assert np.isnan(found[1]).all()
    np.testing.assert_array_equal(found[[0, 2]], extract(net, [folder[0], folder[2]], progress=False))


def test_errors_can_go_to_a_function(net, folder):
    failed = {}
    found = extract(net, folder, progress=False, on_error=failed.__setitem__)
    assert list(failed) == [1]
    assert isinstance(failed[1], ImageError)
    assert np.isnan(found[1]).all()


def test_nothing_readable_is_an_error(net, folder):
    with pytest.raises(ImageError, match="none of the 1 images"):
        extract(net, folder[1:2], progress=False, on_error="skip")


def test_a_bad_box_is_reported_like_a_bad_file(net, folder):
    with pytest.raises(ImageError, match=r"a\.png\): the box"):
        extract(net, folder[:1], boxes=[(90, 90, 99, 99)], progress=False)


def test_too_small_pictures_are_named(net):
    with pytest.raises(ImageError, match=r"image 0: 1 by 1 pixels at scales \(1.0,\) are too small"):
        extract(net, pictures([(1, 1)]), progress=False)


def test_a_too_small_picture_does_not_end_the_run(net):
    """One icon in a folder of photographs must not cost the descriptors of the others."""
    images = pictures([(40, 48), (1, 1), (48, 40), (1, 1)])
    errors = {}
    found = extract(net, images, on_error=errors.__setitem__, progress=False)
    np.testing.assert_allclose(found[[0, 2]], one_by_one(net, [images[0], images[2]]), atol=1e-6)
    assert np.isnan(found[[1, 3]]).all()
    assert [str(errors[row]).split(" ", 2)[:2] for row in (1, 3)] == [["image", "1:"], ["image", "3:"]]


def test_other_failures_of_the_network_are_not_taken_for_bad_pictures():
    failing = nn.Conv2d(4, 8, 3)  # expects four channels
    with pytest.raises(RuntimeError, match="the network failed on 1 pictures of 80 by 64 pixels"):
        extract(failing, pictures([(64, 80)]), on_error="skip", progress=False)


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        ("photo.jpg", {}, "must be a list"),
        (np.zeros((4, 4, 3), np.uint8), {}, r"must be \(N, H, W, 3\)"),
        ([], {}, "no images"),
        (pictures([(40, 40)]), {"boxes": [None, None]}, "one for each of the 1 images"),
        (pictures([(40, 40)]), {"scales": ()}, "positive numbers"),
        (pictures([(40, 40)]), {"scales": (1, 0)}, "positive numbers"),
        (pictures([(40, 40)]), {"on_error": "ignore"}, "'raise', 'skip' or a function"),
    ],
)
def test_what_does_not_fit_is_said(net, images, options, message):
    with pytest.raises(ValueError, match=message):
        extract(net, images, progress=False, **options)


def test_every_layer_is_left_in_the_mode_it_was_in():
    net = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout(), nn.Conv2d(3, 4, 3))
    net.train()
    net[0].eval()  # as training with frozen statistics does
    with evaluating(net):
        assert not any(module.training for module in net.modules())
    assert [module.training for module in net.modules()] == [True, False, True, True]


def test_the_progress_bar_counts_images(net, capsys):
    extract(net, pictures([(40, 40)] * 3))
    assert "3/3" in capsys.readouterr().err
