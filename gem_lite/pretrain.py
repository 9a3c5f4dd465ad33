"""Pre-training of the compact network on Toytown's objects and buildings: the book's "off-the-shelf" network.

It plays the part of a network trained on ImageNet: it has learned to classify, nobody taught it retrieval.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm.auto import tqdm

from gem_lite.cache import written_atomically
from gem_lite.network import RetrievalNet, build_network, fold_batch_norm
from gem_lite.profiles import Profile
from gem_lite.seeds import torch_seed
from gem_lite.toytown.dataset import ImageSet
from gem_lite.toytown.objects import ObjectPictures
from gem_lite.toytown.parallel import all_results, usable_cores
from gem_lite.toytown.sprites import NAMES

LEARNING_RATE, WEIGHT_DECAY, LABEL_SMOOTHING = 3e-3, 1e-3, 0.05
TEST_PICTURES = 512
# What the classifier sees of the feature maps; the network itself is the same. "mean" is the usual head.
HEADS = {"mean": "spoc", "max": "mac", "gem": "gem"}
STRIDE = 8
CHECKPOINT_STEPS = 100  # between two checkpoints


@dataclass(frozen=True)
class Pretrained:
    """The network without its classifier, and its accuracy (0..1) on drawings and buildings it never saw."""

    network: RetrievalNet
    accuracy: float
    object_accuracy: float
    family_accuracy: float


def picture_size(image_size: int) -> int:
    """Side of the pre-training pictures: two thirds of the images', in whole cells of the feature maps.

    >>> picture_size(96), picture_size(64)
    (64, 40)
    """
    return 2 * image_size // 3 // STRIDE * STRIDE


def pretrain(
    backdrop: ImageSet,
    profile: Profile,
    seed: int = 0,
    head: str = "mean",
    device: str = "cpu",
    checkpoint: str | Path | None = None,
) -> Pretrained:
    """Trains the compact network to classify `ObjectPictures`, with a progress bar.

    AdamW under a one-cycle schedule; batch normalisation is folded into the convolutions at the end. The
    same seed, device and number of threads give the same network.

    Args:
        backdrop: the backdrop split of Toytown.
        profile: gives the network's channels, the number of steps and the batch.
        seed: of the run; names the streams of the weights and of the pictures.
        head: how feature maps are pooled for the classifier: ``mean`` (usual), ``max`` or ``gem``.
        device: where to train.
        checkpoint: file that is written, atomically, after every hundred steps. If it exists already, the
            run that wrote it goes on from there.

    Raises:
        ValueError: for an unknown head, or a checkpoint of a run with other settings.

    Chapter: 03_pooling.
    """
    if head not in HEADS:
        raise ValueError(f"unknown head {head!r}; known: {', '.join(HEADS)}")
    pictures = ObjectPictures(backdrop, picture_size(profile.image_size), seed)
    net = build_network("compact", pooling=HEADS[head], channels=profile.network, batch_norm=True, seed=seed)
    classifier = _classifier(net.dim, len(pictures.classes), seed)
    net, classifier = net.to(device), classifier.to(device)
    saved = None
    if checkpoint is not None:
        saved = _Checkpoint(Path(checkpoint), {"profile": profile.name, "seed": seed, "head": head})
    _train(net, classifier, pictures, profile, device, saved)
    accuracy, object_accuracy, family_accuracy = _test(net, classifier, pictures, device)
    net = net.to("cpu")
    net.backbone = fold_batch_norm(_sequential(net.backbone))
    net.meta.update(
        trained_on="Toytown's objects and building families", head=head, accuracy=round(accuracy, 4)
    )
    return Pretrained(net.eval(), accuracy, object_accuracy, family_accuracy)


def _classifier(dim: int, classes: int, seed: int) -> nn.Linear:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed("pretrain", "classifier", seed))
        return nn.Linear(dim, classes)


def _sequential(backbone: nn.Module) -> nn.Sequential:
    assert isinstance(backbone, nn.Sequential)  # the compact body always is
    return backbone


@dataclass(frozen=True)
class _Checkpoint:
    """Where an interrupted pre-training goes on from, and the settings of the run that it belongs to."""

    path: Path
    settings: dict[str, Any]

    def save(self, parts: dict[str, Any], step: int) -> None:
        states = {name: part.state_dict() for name, part in parts.items()}
        with written_atomically(self.path) as temporary:
            torch.save({"settings": json.dumps(self.settings), "step": step, **states}, temporary)

    def restore(self, parts: dict[str, Any], device: str) -> int:
        """Puts every part back and returns how many steps were done; 0 where there is no file."""
        if not self.path.exists():
            return 0
        content = torch.load(self.path, map_location=device, weights_only=True)
        theirs = json.loads(content["settings"])
        if theirs != self.settings:
            raise ValueError(
                f"{self.path} was written by a run with the settings {theirs}, and this one has "
                f"{self.settings}: give another checkpoint"
            )
        for name, part in parts.items():
            part.load_state_dict(content[name])
        return int(content["step"])


def _train(
    net: RetrievalNet,
    classifier: nn.Linear,
    pictures: ObjectPictures,
    profile: Profile,
    device: str,
    checkpoint: _Checkpoint | None = None,
) -> None:
    steps = profile.pretrain_steps
    parameters = [*net.parameters(), *classifier.parameters()]
    optimizer = torch.optim.AdamW(parameters, LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    parts = {"net": net, "classifier": classifier, "optimizer": optimizer, "schedule": schedule}
    done = checkpoint.restore(parts, device) if checkpoint else 0
    net.train()
    batches = _prepared(pictures, range(done, steps), profile.pretrain_batch)
    progress = tqdm(batches, total=steps, initial=done, desc="pre-training", unit="step")
    for step, (images, labels) in enumerate(progress, done + 1):
        images, labels = images.to(device), labels.to(device)
        scores = _scores(net, classifier, images)
        loss = F.cross_entropy(scores, labels, label_smoothing=LABEL_SMOOTHING)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        if step % 10 == 0:
            right = (scores.argmax(1) == labels).float().mean().item()
            progress.set_postfix(loss=f"{loss.item():.2f}", accuracy=f"{right:.2f}")
        if checkpoint and step % CHECKPOINT_STEPS == 0:
            checkpoint.save(parts, step)
    net.eval()


def _prepared(
    pictures: ObjectPictures, steps: range, count: int, painters: int | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches in order, painted a few ahead while those before them are being learned from.

    One core is left to the learning; with a single one to spare a second thread paints, without processes.
    """
    painters = max(1, usable_cores() - 1) if painters is None else painters
    # A process is given work only together with the others: so they never run far ahead, filling memory.
    blocks = [steps[start : start + painters] for start in range(0, len(steps), painters)]

    def paint(block: range) -> list[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
        return all_results(pictures.batch, [(number, count) for number in block], painters)

    if not blocks:
        return
    with ThreadPoolExecutor(max_workers=1) as ahead:
        ready = ahead.submit(paint, blocks[0])
        for following in blocks[1:]:
            coming = ahead.submit(paint, following)
            yield from (_tensors(*painted) for painted in ready.result())
            ready = coming
        yield from (_tensors(*painted) for painted in ready.result())


def _tensors(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    # A permuted view of (B, H, W, 3) is channels-last already: the layout convolutions like best on a CPU.
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255, torch.from_numpy(labels)


def _scores(net: RetrievalNet, classifier: nn.Linear, images: Tensor) -> Tensor:
    scores: Tensor = classifier(net.pool(net.feature_maps(images)))
    return scores


@torch.no_grad()
def _test(
    net: RetrievalNet, classifier: nn.Linear, pictures: ObjectPictures, device: str
) -> tuple[float, float, float]:
    """Accuracy on unseen pictures: of all, of those with an object, of bare buildings."""
    images, labels = _tensors(*pictures.batch(0, TEST_PICTURES, unseen=True))
    guesses = _scores(net, classifier, images.to(device)).argmax(1).cpu()
    right, is_object = (guesses == labels).float(), labels < len(NAMES)
    return right.mean().item(), right[is_object].mean().item(), right[~is_object].mean().item()
