"""The book's fine-tuned networks: each is trained once per profile and seed, and kept.

All start from the same off-the-shelf body and differ in one thing each: the pooling, the negatives, the rule
for positives, or a fixed exponent.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from gem_lite import toytown
from gem_lite.cache import artefact_path, made_once, written_atomically
from gem_lite.network import RetrievalNet, load_network, save_network
from gem_lite.off_the_shelf import device, pretrained, readable
from gem_lite.pooling import GeM
from gem_lite.profiles import get_profile
from gem_lite.threads import fixed_threads
from gem_lite.train import History, TrainConfig, TrainingData, fit
from gem_lite.validation import validation_map

MODULES = ("gem_lite.fine_tuned", "gem_lite.pretrain")
THREADS = 1  # on every machine: see `fixed_threads`. Two trainings side by side use two cores


@dataclass(frozen=True)
class Variant:
    """One training of the book: what it differs in from GeM with m3 and hard negatives."""

    pooling: str = "gem"
    negatives: str = "hard"
    positives: str = "m3"
    p: float = 3.0  # where GeM starts
    learn_p: bool = True
    per_channel: bool = False  # one exponent for each feature map

    @property
    def name(self) -> str:
        """Short name for files and progress bars: the pooling, then whatever is not the default."""
        choices = ((self.negatives, "hard"), (self.positives, "m3"))
        extras = [chosen for chosen, usual in choices if chosen != usual]
        if self.p != 3.0 or not self.learn_p:
            extras.append(f"p{self.p:g}" + ("" if self.learn_p else "-fixed"))
        if self.per_channel:
            extras.append("per-channel")
        return "-".join([self.pooling, *extras])


def train_config(profile: str, seed: int, variant: Variant) -> TrainConfig:
    """Settings of a variant's training; the sizes come from the profile."""
    sizes = get_profile(profile)
    return TrainConfig(
        epochs=sizes.epochs,
        tuples=sizes.tuples,
        mining_pool=sizes.mining_pool,
        positive_rule=variant.positives,
        negative_rule=variant.negatives,
        # A single map moves its own exponent little: the authors' code has it learn ten times faster still.
        p_rate=100.0 if variant.per_channel else TrainConfig.p_rate,
        seed=seed,
    )


def fine_tuned(
    profile: str = "lite", seed: int = 0, variant: Variant | None = None
) -> tuple[RetrievalNet, History]:
    """A fine-tuned network and the history of its training, from the cache or trained now.

    An interrupted training goes on after its last whole epoch.

    Args:
        profile: name in `gem_lite.profiles`.
        seed: of the run.
        variant: what is different; by default GeM, m3, hard negatives, p learned from 3.

    Chapter: 06_training.
    """
    variant = variant or Variant()
    config = train_config(profile, seed, variant)
    settings = {
        "profile": asdict(get_profile(profile)),
        "config": asdict(config),
        "variant": asdict(variant),
        "device": device(),
    }
    path = artefact_path(f"trained-{profile}-{seed}-{variant.name}", settings, MODULES, ".pt")
    history = path.with_suffix(".json")
    made_once(
        path,
        lambda: readable(path) and history.exists(),
        lambda: _train_to(path, history, profile, seed, variant, config),
    )
    return load_network(path), History(json.loads(history.read_text(encoding="utf8")))


def _train_to(
    path: Path, history: Path, profile: str, seed: int, variant: Variant, config: TrainConfig
) -> None:
    net = pretrained(profile, seed, variant.pooling, variant.p)
    if variant.per_channel:
        net.pool = GeM(variant.p, channels=net.dim)
    if variant.pooling == "gem":
        net.pool.requires_grad_(variant.learn_p)
    train = toytown.load(profile, seed, "train")
    validate = validation_map(toytown.load(profile, seed, "val"))
    data = TrainingData(train.images, train.covisibility, validate)
    checkpoint = path.with_suffix(".checkpoint")
    with fixed_threads(THREADS):
        rows = fit(net.to(device()), data, config, checkpoint, title=f"training {variant.name}").rows
    save_network(net.to("cpu"), path)
    with written_atomically(history) as temporary:
        temporary.write_text(json.dumps(rows), encoding="utf8")
    checkpoint.unlink()
