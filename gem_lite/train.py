"""Fine-tuning: tuples of a query, a match and hard non-matches, through one network with shared weights.

An epoch draws queries, gives each a positive, describes a random pool with the network as it is now, takes
the hardest negatives from it, and then descends the loss, a few tuples at a time. Every random choice of an
epoch comes from streams named by that epoch, so a run that was killed goes on exactly as it would have.
"""

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm.auto import tqdm

from gem_lite.cache import written_atomically
from gem_lite.extract import extract
from gem_lite.images import ImageLike, read_image, resize_image
from gem_lite.losses import contrastive_loss
from gem_lite.mining import hard_negatives, positives, random_negatives
from gem_lite.network import RetrievalNet
from gem_lite.pooling import MAC, GeM
from gem_lite.seeds import stream
from gem_lite.toytown.covisibility import Covisibility

Images = NDArray[np.uint8] | Sequence[ImageLike]
Describe = Callable[[RetrievalNet, Images, int], NDArray[np.float32]]


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a run. The defaults are those of the `lite` profile, chosen on validation landmarks."""

    epochs: int = 6
    tuples: int = 300  # drawn anew for each epoch
    negatives: int = 5  # of each tuple
    batch: int = 5  # tuples per step
    mining_pool: int = 160  # random images in which an epoch's negatives are searched
    positive_rule: str = "m3"  # m1, m2 or m3, see gem_lite.mining.positives
    negative_rule: str = "hard"  # or random
    margin: float = 0.5
    learning_rate: float = 3e-4
    decay: float = 0.15  # the rate is multiplied by exp(-decay) after each epoch
    weight_decay: float = 5e-4  # of everything but p
    p_rate: float = 10.0  # p learns so many times faster
    image_size: int = 1024  # longer side at most; smaller images stay as they are
    seed: int = 0
    amp: bool = False  # bfloat16 autocast
    compile: bool = False  # torch.compile of the body


@dataclass
class History:
    """What happened, one row per epoch: epoch, loss, p, learning_rate, validation, seconds, images_per_s."""

    rows: list[dict[str, float]] = field(default_factory=list)

    def column(self, name: str) -> NDArray[np.float64]:
        """One value per epoch."""
        return np.array([row[name] for row in self.rows])

    @property
    def best_epoch(self) -> int:
        """Epoch (from 1) of the highest validation value; the last one where nothing was validated."""
        if not self.rows:
            raise ValueError("nothing was trained: the history is empty")
        values = self.column("validation")
        return len(self.rows) if np.isnan(values).all() else int(np.nanargmax(values)) + 1


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Images with their co-visibility, and what to measure after each epoch.

    Args:
        images: (N, H, W, 3) uint8, or N paths or arrays of any shapes.
        covisibility: of the same N images.
        validate: gives a number, higher is better, for the network as it is; None keeps the last epoch.
    """

    images: Images
    covisibility: Covisibility
    validate: Callable[[RetrievalNet], float] | None = None


def fit(
    net: RetrievalNet,
    data: TrainingData,
    config: TrainConfig,
    checkpoint: str | Path | None = None,
    progress: bool = True,
    title: str = "fine-tuning",
) -> History:
    """Fine-tunes a network in place and returns what happened.

    The network ends with the weights of the epoch that validated best.

    Args:
        net: changed in place; trained on the device where it lies.
        data: images, co-visibility, validation.
        config: settings.
        checkpoint: file that is written, atomically, after each epoch. If it exists already, the run that
            wrote it goes on after its last epoch.
        progress: shows a bar with loss, p and images per second.
        title: of the bar.

    Raises:
        ValueError: if the checkpoint belongs to other settings, or there are too few clusters to mine from.

    Source: the paper's section 3 and its training details. Chapter: 06_training.
    """
    return _Run(net, data, config).to_end(checkpoint, progress, title)


def describe(net: RetrievalNet, images: Images, size: int) -> NDArray[np.float32]:
    """Descriptors (N, D) of images for mining; `gem_lite.distributed` shares this work among processes."""
    return extract(net, images, size=size, progress=False)


def draw_tuples(
    net: RetrievalNet,
    data: TrainingData,
    config: TrainConfig,
    epoch: int,
    mac_descriptors: NDArray[np.float32] | None = None,
    describe: Describe = describe,
) -> NDArray[np.int64]:
    """Rows of an epoch's tuples, (tuples, 2 + negatives): query, positive, negatives.

    Fewer than ``config.tuples`` where fewer images have a positive. The pool is a random one: among all
    images of a small world the hardest negatives are near-twins, and training on them alone is unstable.

    Args:
        net: as it is now; it decides which negatives are hard.
        data, config: of the run.
        epoch: names the random streams.
        mac_descriptors: (N, K) of all images by the network before training; for rule m1 only.
        describe: what describes queries and pool.
    """
    clusters = data.covisibility.clusters
    usable = np.unique(data.covisibility.pairs()[0])
    rng = stream("tuples", config.seed, epoch)
    queries = np.sort(rng.choice(usable, min(config.tuples, len(usable)), replace=False))
    rng.shuffle(queries)
    pool = rng.choice(len(clusters), min(config.mining_pool, len(clusters)), replace=False)
    matches = positives(
        queries, data.covisibility, config.positive_rule, mac_descriptors, seed=(config.seed, epoch)
    )
    if config.negative_rule not in ("hard", "random"):
        raise ValueError(f"unknown rule {config.negative_rule!r} for negatives; known: hard, random")
    if config.negative_rule == "random":
        others = random_negatives(
            clusters[queries], clusters[pool], config.negatives, seed=(config.seed, epoch)
        )
    else:
        rows = np.concatenate([queries, pool])
        described = describe(net, _take(data.images, rows), config.image_size)
        others = hard_negatives(
            described[: len(queries)],
            described[len(queries) :],
            clusters[queries],
            clusters[pool],
            count=config.negatives,
        )
    return np.column_stack([queries, matches, pool[others]])


class _Run:
    """A run's network, optimiser and history: what a checkpoint holds."""

    def __init__(
        self, net: RetrievalNet, data: TrainingData, config: TrainConfig, describe: Describe = describe
    ) -> None:
        self.net, self.data, self.config, self.describe = net, data, config, describe
        self.history = History()
        self.mac_descriptors = None
        if config.positive_rule == "m1":
            self.mac_descriptors = mac_descriptors(net, data, config, describe)
        self.best: dict[str, Tensor] = {}
        self.optimiser = torch.optim.Adam(parameter_groups(net, config), lr=config.learning_rate)
        self.labels = torch.tensor([-1, 1] + [0] * config.negatives)
        self.forward: Callable[[Tensor], Tensor] = torch.compile(net) if config.compile else net

    def to_end(self, checkpoint: str | Path | None, progress: bool, title: str) -> History:
        """All epochs that are missing; a checkpoint is read before and written after each."""
        config = self.config
        if checkpoint is not None and Path(checkpoint).exists():
            self.restore(Path(checkpoint))
        # Said only when wanted: an explicit "not disabled" would overrule the user's TQDM_DISABLE.
        silent = {} if progress else {"disable": True}
        bar = tqdm(
            total=config.epochs * config.tuples,
            initial=len(self.history.rows) * config.tuples,
            unit="tuple",
            desc=title,
            **silent,
        )
        with bar:
            for epoch in range(len(self.history.rows) + 1, config.epochs + 1):
                self.epoch(epoch, bar)
                if checkpoint is not None:
                    self.save(Path(checkpoint))
        self.keep_best()
        return self.history

    def draw(self, number: int) -> NDArray[np.int64]:
        """The tuples of an epoch."""
        return draw_tuples(self.net, self.data, self.config, number, self.mac_descriptors, self.describe)

    def epoch(self, number: int, bar: "tqdm[Any]") -> None:
        """Mines, descends and validates once."""
        config, started = self.config, time.perf_counter()
        rate = config.learning_rate * math.exp(-config.decay * (number - 1))
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["rate"]
        tuples = self.draw(number)
        for_training(self.net)
        losses = []
        descended = time.perf_counter()
        for start in range(0, len(tuples), config.batch):
            batch = tuples[start : start + config.batch]
            losses.append(self.step(batch))
            seen = (start + len(batch)) * tuples.shape[1]
            speed = seen / (time.perf_counter() - descended)
            p = mean_p(self.net)
            bar.set_postfix(loss=f"{np.mean(losses):.3f}", p=f"{p:.2f}", images_s=f"{speed:.0f}")
            bar.update(len(batch))
        self.net.eval()
        value = float("nan") if self.data.validate is None else self.data.validate(self.net)
        self.history.rows.append(
            {
                "epoch": number,
                "loss": float(np.mean(losses)),
                "p": mean_p(self.net),
                "learning_rate": rate,
                "validation": value,
                "seconds": time.perf_counter() - started,
                "images_per_s": speed,
            }
        )
        if self.history.best_epoch == number:
            self.best = {name: value.clone() for name, value in self.net.state_dict().items()}

    def step(self, tuples: NDArray[np.int64]) -> float:
        """One descent on a few tuples; returns their mean loss."""
        device = self.net.mean.device
        images = _take(self.data.images, tuples.reshape(-1))
        with torch.autocast(device.type, torch.bfloat16, enabled=self.config.amp):
            described = describe_by_shape(self.forward, images, self.config.image_size, device)
        labels = self.labels.repeat(len(tuples)).to(device)
        # The paper's loss is a sum over pairs; the mean over tuples makes a step independent of their number.
        loss = contrastive_loss(described, labels, margin=self.config.margin) / len(tuples)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        if isinstance(self.net.pool, GeM):
            self.net.pool.keep_p_valid()
        return float(loss.detach())

    def save(self, path: Path) -> None:
        content = {
            "config": json.dumps(asdict(self.config)),
            "history": json.dumps(self.history.rows),
            "net": self.net.state_dict(),
            "best": self.best,
            "optimiser": self.optimiser.state_dict(),
        }
        with written_atomically(path) as temporary:
            torch.save(content, temporary)

    def restore(self, path: Path) -> None:
        content = torch.load(path, map_location=self.net.mean.device, weights_only=True)
        theirs, ours = json.loads(content["config"]), asdict(self.config)
        changed = [name for name in ours if name != "epochs" and theirs.get(name) != ours[name]]
        if changed:
            raise ValueError(
                f"{path} was written with other settings of {', '.join(changed)}: "
                "use those again, or give another checkpoint"
            )
        self.history.rows = json.loads(content["history"])
        self.net.load_state_dict(content["net"])
        self.best = content["best"]
        self.optimiser.load_state_dict(content["optimiser"])

    def keep_best(self) -> None:
        if self.best:
            self.net.load_state_dict(self.best)


def mac_descriptors(
    net: RetrievalNet, data: TrainingData, config: TrainConfig, describe: Describe = describe
) -> NDArray[np.float32]:
    """MAC descriptors (N, K) of all images by a network's body, for rule m1."""
    mac = RetrievalNet(net.backbone, MAC(), mean=net.mean.flatten().tolist(), std=net.std.flatten().tolist())
    return describe(mac.to(net.mean), data.images, config.image_size)


def parameter_groups(net: RetrievalNet, config: TrainConfig) -> list[dict[str, Any]]:
    """Adam's groups: p learns faster and is not decayed, which would pull it below its lower limit."""
    exponents = [net.pool.p] if isinstance(net.pool, GeM) else []
    special = {id(p) for p in exponents}
    rest = [w for w in net.parameters() if w.requires_grad and id(w) not in special]
    groups: list[dict[str, Any]] = [{"params": rest, "weight_decay": config.weight_decay, "rate": 1.0}]
    trained = [p for p in exponents if p.requires_grad]
    if trained:
        groups.append({"params": trained, "weight_decay": 0.0, "rate": config.p_rate})
    return groups


def for_training(net: nn.Module) -> None:
    """Training mode with batch statistics frozen: a few tuples are no sample of the world."""
    net.train()
    for layer in net.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.eval()


def mean_p(net: RetrievalNet) -> float:
    """The exponent, averaged over channels; NaN where the pooling has none."""
    return float(net.pool.p.detach().mean()) if isinstance(net.pool, GeM) else float("nan")


def describe_by_shape(
    forward: Callable[[Tensor], Tensor], images: Images, size: int, device: torch.device
) -> Tensor:
    """Descriptors (N, D) in the images' order; images of one shape go through the network together."""
    pictures = [np.array(resize_image(read_image(image), size)) for image in images]
    tensors = [torch.from_numpy(picture) for picture in pictures]
    by_shape: dict[torch.Size, list[int]] = {}
    for index, tensor in enumerate(tensors):
        by_shape.setdefault(tensor.shape, []).append(index)
    parts = []
    for rows in by_shape.values():
        batch = torch.stack([tensors[row] for row in rows]).to(device)
        parts.append(forward(batch.permute(0, 3, 1, 2).float() / 255))
    order = torch.tensor([row for rows in by_shape.values() for row in rows], device=device)
    return torch.cat(parts)[torch.argsort(order)]


def _take(images: Images, rows: NDArray[np.int64]) -> Images:
    """These rows of an array or of a list."""
    return images[rows] if isinstance(images, np.ndarray) else [images[row] for row in rows]
