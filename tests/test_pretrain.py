"""Pre-training: repeatable, it learns, and what comes out computes what was trained."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from gem_lite import toytown
from gem_lite.network import load_network, save_network
from gem_lite.pretrain import Pretrained, picture_size, pretrain
from gem_lite.profiles import Profile, get_profile
from gem_lite.toytown.objects import ObjectPictures

pytestmark = pytest.mark.slow  # networks are pre-trained


@pytest.fixture(scope="module")
def backdrop(tmp_path_factory) -> toytown.ImageSet:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEM_LITE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return toytown.load("tiny", 0, "backdrop", workers=1)


def shortened(steps: int) -> Profile:
    return dataclasses.replace(get_profile("tiny"), pretrain_steps=steps)


@pytest.fixture(scope="module")
def trained(backdrop) -> Pretrained:
    return pretrain(backdrop, shortened(10), seed=0)


def test_the_accuracy_of_all_pictures_lies_between_that_of_objects_and_of_buildings(trained):
    low, high = sorted((trained.object_accuracy, trained.family_accuracy))
    assert low <= trained.accuracy <= high


def test_batch_normalisation_is_folded_and_the_last_layer_is_a_relu(trained):
    layers = list(trained.network.backbone)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in layers)
    assert isinstance(layers[-1], nn.ReLU)
    assert not trained.network.training
    convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    assert len(convolutions) == 5
    assert all(layer.bias is not None for layer in convolutions)


def test_the_accuracy_is_that_of_the_folded_network(backdrop):
    """The classifier is gone afterwards, so what it saw is compared: the feature maps."""
    from gem_lite import pretrain as module

    kept = {}
    original = module._test

    def keeps(net, classifier, pictures, device):
        images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            kept["before"] = net.feature_maps(images)
        kept["images"] = images
        return original(net, classifier, pictures, device)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_test", keeps)
        network = pretrain(backdrop, shortened(3)).network
    with torch.no_grad():
        after = network.feature_maps(kept["images"])
    torch.testing.assert_close(after, kept["before"], rtol=1e-4, atol=1e-4)


def test_the_same_seed_gives_the_same_network_and_another_another(backdrop):
    one, two, other = (pretrain(backdrop, shortened(4), seed=seed) for seed in (0, 0, 1))
    for first, second in zip(one.network.parameters(), two.network.parameters(), strict=True):
        assert torch.equal(first, second)
    assert one.accuracy == two.accuracy
    pairs = zip(one.network.parameters(), other.network.parameters(), strict=True)
    assert not all(torch.equal(first, second) for first, second in pairs)


def test_random_numbers_outside_are_left_alone(backdrop):
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    pretrain(backdrop, shortened(1))
    assert torch.equal(torch.rand(4), expected)


@pytest.mark.parametrize("head", ["max", "gem"])
def test_other_heads_train_too(head, backdrop):
    result = pretrain(backdrop, shortened(2), head=head)
    assert result.network.meta["head"] == head
    assert all(torch.isfinite(parameter).all() for parameter in result.network.parameters())


def test_an_unknown_head_is_named_with_the_known_ones(backdrop):
    with pytest.raises(ValueError, match="unknown head 'average'; known: mean, max, gem"):
        pretrain(backdrop, shortened(1), head="average")


def test_a_saved_network_comes_back(trained, tmp_path):
    save_network(trained.network, tmp_path / "net.pt")
    again = load_network(tmp_path / "net.pt")
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(again(images), trained.network(images))
    assert again.meta["accuracy"] == pytest.approx(trained.accuracy, abs=1e-4)


def test_pictures_are_two_thirds_of_the_images():
    assert [picture_size(get_profile(name).image_size) for name in ("tiny", "lite", "gpu")] == [40, 64, 104]


def test_it_learns_to_recognise_objects_that_it_never_saw(backdrop):
    """Guessing is right once in 28 times; a few hundred small pictures more are enough to do far better."""
    assert pretrain(backdrop, shortened(200)).object_accuracy > 4 / 28


@pytest.mark.parametrize("painters", [1, 2])
def test_pictures_arrive_in_order(backdrop, painters):
    from gem_lite.pretrain import _prepared

    pictures = ObjectPictures(backdrop, 24, seed=0)
    numbers = []
    for number, (images, labels) in enumerate(_prepared(pictures, range(2, 7), 5, painters), 2):
        expected, expected_labels = pictures.batch(number, 5)
        np.testing.assert_array_equal((images * 255).round().permute(0, 2, 3, 1).numpy(), expected)
        np.testing.assert_array_equal(labels.numpy(), expected_labels)
        numbers.append(number)
    assert numbers == [2, 3, 4, 5, 6]


def test_an_interrupted_run_goes_on_and_ends_with_the_same_network(backdrop, tmp_path, monkeypatch):
    from gem_lite import pretrain as module

    monkeypatch.setattr(module, "CHECKPOINT_STEPS", 4)
    whole = pretrain(backdrop, shortened(10))
    checkpoint = tmp_path / "run.checkpoint"
    original, numbers = ObjectPictures.batch, []

    def painted(self, number, count, unseen=False):
        numbers.append(number)
        if number == 6 and numbers.count(6) == 1:
            raise KeyboardInterrupt
        return original(self, number, count, unseen)

    monkeypatch.setattr(module, "usable_cores", lambda: 2)  # one painter, in this process
    monkeypatch.setattr(ObjectPictures, "batch", painted)
    with pytest.raises(KeyboardInterrupt):
        pretrain(backdrop, shortened(10), checkpoint=checkpoint)
    numbers.clear()
    numbers.append(6)
    again = pretrain(backdrop, shortened(10), checkpoint=checkpoint)
    assert numbers[1] == 4, "the run starts again after its last checkpoint"
    for name, value in whole.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[name], value), name


def test_a_checkpoint_of_another_seed_is_refused(backdrop, tmp_path, monkeypatch):
    from gem_lite import pretrain as module

    monkeypatch.setattr(module, "CHECKPOINT_STEPS", 2)
    pretrain(backdrop, shortened(3), checkpoint=tmp_path / "run.checkpoint")
    with pytest.raises(ValueError, match="give another checkpoint"):
        pretrain(backdrop, shortened(3), seed=1, checkpoint=tmp_path / "run.checkpoint")
