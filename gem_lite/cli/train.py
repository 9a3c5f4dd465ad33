"""Fine-tune a network: on your own pictures, or on the paper's training set.

Your own pictures need no reconstruction: a folder with one object or place in each subfolder will do, or a
CSV file (image,class or image_a,image_b). A part of the classes is held out and chooses the best epoch. The
settings are those of the authors' code; --epochs, --tuples and --rate are the first to change for a small
collection.

  python -m gem_lite train things/ --out net.safetensors --network resnet50 --epochs 10
  python -m gem_lite train retrieval-SfM-120k --out net.safetensors --network resnet101 --margin 0.85
  torchrun --nproc-per-node 4 -m gem_lite train …        on four GPUs, with the same result as on one

After every epoch everything is saved: the same command goes on after an interruption.
"""

import argparse
import warnings
from dataclasses import replace
from pathlib import Path

from gem_lite import distributed
from gem_lite.checkpoints import save
from gem_lite.cli import options
from gem_lite.cli.descriptors import plain_warnings, write_json
from gem_lite.datasets import load_sfm
from gem_lite.datasets.training import own_training_data, pairs_validation
from gem_lite.processes import processes
from gem_lite.train import History, TrainConfig, TrainingData

# The settings of the authors' code; the rate and the weight decay are those of its last version.
PAPER = TrainConfig(
    epochs=100,
    tuples=2000,
    negatives=5,
    batch=5,
    mining_pool=22000,
    margin=0.7,
    learning_rate=1e-6,
    decay=0.01,
    weight_decay=1e-6,
    image_size=362,
)


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Options of this command."""
    command.add_argument("data", metavar="FOLDER|SET", help="your pictures, or retrieval-SfM-120k")
    command.add_argument(
        "--labels", default="classes", metavar="FILE", help="a CSV file, instead of subfolders"
    )
    command.add_argument(
        "--held-out", type=float, default=0.2, help="share of the classes to validate on (0.2)"
    )
    command.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="for the network: .safetensors"
    )
    options.add_network(command)
    group = command.add_argument_group("training")
    for name, kind, text in (
        ("epochs", int, "epochs"),
        ("tuples", int, "queries drawn for an epoch"),
        ("negatives", int, "negatives of each query"),
        ("batch", int, "tuples in a step"),
        ("margin", float, "of the contrastive loss: 0.7 AlexNet, 0.75 VGG, 0.85 ResNet in the paper"),
        ("decay", float, "the rate is multiplied by exp(-decay) after each epoch"),
        ("weight-decay", float, "of everything but p"),
    ):
        default = getattr(PAPER, name.replace("-", "_"))
        group.add_argument(f"--{name}", type=kind, default=default, help=f"{text} ({default:g})")
    group.add_argument("--pool", type=int, default=PAPER.mining_pool, help="images to mine from (22000)")
    group.add_argument("--rate", type=float, default=PAPER.learning_rate, help="learning rate, Adam (1e-6)")
    group.add_argument("--size", type=int, default=PAPER.image_size, help="longer side in training (362)")
    group.add_argument("--validation-size", type=int, default=1024, help="longer side in validation (1024)")
    group.add_argument("--seed", type=int, default=0, help="of all random choices (0)")
    group.add_argument("--amp", action="store_true", help="bfloat16 where it is safe: faster on a GPU")
    group.add_argument("--fixed-p", action="store_true", help="leave GeM's exponent as it is")
    command.add_argument("--sources", metavar="FILE", help="your own table of addresses and folders")
    command.add_argument("--quiet", action="store_true", help="no progress bars")


def run(chosen: argparse.Namespace) -> None:
    """Trains, saves the network and its history."""
    if chosen.out.exists():
        raise ValueError(f"{chosen.out} is there already: give another --out, or remove it")
    checkpoint = chosen.out.with_name(chosen.out.name + ".checkpoint")
    with processes(chosen.device) as here:
        chosen.device = str(here.device)
        chosen.quiet |= here.rank > 0
        net = options.network(chosen)
        if chosen.fixed_p:
            net.pool.requires_grad_(False)
        # Of several processes the first alone speaks; an error is everybody's.
        with plain_warnings(), warnings.catch_warnings():
            if here.rank > 0:
                warnings.simplefilter("ignore")
            data = training_data(chosen)
            config = fitting(config_of(chosen), data)
        history = distributed.fit(net, data, config, checkpoint, progress=not chosen.quiet)
        if here.rank == 0:
            save(net.cpu(), chosen.out)
            write_json(chosen.out.with_name(chosen.out.name + ".history.json"), history.rows)
            checkpoint.unlink(missing_ok=True)
            print(told(history, chosen.out))


def config_of(chosen: argparse.Namespace) -> TrainConfig:
    """The options as `fit` takes them."""
    return replace(
        PAPER,
        epochs=chosen.epochs,
        tuples=chosen.tuples,
        negatives=chosen.negatives,
        batch=chosen.batch,
        mining_pool=chosen.pool,
        margin=chosen.margin,
        learning_rate=chosen.rate,
        decay=chosen.decay,
        weight_decay=chosen.weight_decay,
        image_size=chosen.size,
        seed=chosen.seed,
        amp=chosen.amp,
    )


def fitting(config: TrainConfig, data: TrainingData) -> TrainConfig:
    """The same, with no more negatives than a small collection has other classes."""
    others = len(set(data.covisibility.clusters.tolist())) - 1
    if config.negatives <= others:
        return config
    with plain_warnings():
        warnings.warn(
            f"there are only {others + 1} things to tell apart, so each query has {others} negatives instead "
            f"of {config.negatives}",
            stacklevel=2,
        )
    return replace(config, negatives=others)


def training_data(chosen: argparse.Namespace) -> TrainingData:
    """Your folder, or a set by name."""
    folder = Path(chosen.data).expanduser()
    if folder.is_dir():
        return own_training_data(
            folder,
            chosen.labels,
            held_out=chosen.held_out,
            size=chosen.validation_size,
            seed=chosen.seed,
            progress=not chosen.quiet,
        )
    train, val = (
        load_sfm(chosen.data, split, progress=not chosen.quiet, table=chosen.sources)
        for split in ("train", "val")
    )
    validate = pairs_validation(val.images, val.covisibility, chosen.validation_size, seed=chosen.seed)
    return TrainingData(train.images, train.covisibility, validate)


def told(history: History, out: Path) -> str:
    """What happened, epoch by epoch."""
    lines = ["epoch    loss       p  validation"]
    lines += [
        f"{row['epoch']:5.0f}  {row['loss']:6.4f}  {row['p']:6.3f}  {100 * row['validation']:9.2f}%"
        for row in history.rows
    ]
    return "\n".join([*lines, f"{out} holds the network of epoch {history.best_epoch}"])
