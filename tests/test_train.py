"""Fine-tuning: what it draws, what it changes, and that a killed run goes on as if nothing had happened."""

import copy
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from gem_lite.network import RetrievalNet, build_network
from gem_lite.pooling import GeM
from gem_lite.seeds import stream
from gem_lite.toytown.covisibility import Covisibility
from gem_lite.train import (
    TrainConfig,
    TrainingData,
    describe_by_shape,
    draw_tuples,
    fit,
    for_training,
    parameter_groups,
)

CLUSTERS, VIEWS = 6, 5
SMALL = TrainConfig(epochs=4, tuples=8, negatives=3, batch=2, mining_pool=24, learning_rate=1e-3)


def small_net() -> RetrievalNet:
    return build_network("compact", channels=(8, "M", 12))


def small_data(sizes: tuple[int, ...] = (24,)) -> TrainingData:
    """Noisy views of a few coloured patterns; every view of a cluster sees nearly all of its points."""
    rng = stream("test-train")
    images = []
    for cluster in range(CLUSTERS):
        pattern = stream("pattern", cluster).integers(0, 256, (6, 6, 3))
        for view in range(VIEWS):
            side = sizes[view % len(sizes)]
            picture = np.kron(pattern, np.ones((side // 6, side // 6, 1))) + rng.normal(
                0, 20, (side, side, 3)
            )
            images.append(np.clip(picture, 0, 255).astype(np.uint8))
    visible = rng.random((CLUSTERS * VIEWS, 100)) < 0.8
    scales = np.ones(CLUSTERS * VIEWS, dtype=np.float32)
    clusters = np.repeat(np.arange(CLUSTERS), VIEWS)
    pictures = np.stack(images) if len(sizes) == 1 else images
    return TrainingData(pictures, Covisibility(visible, scales, clusters))


def weights(net: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in net.state_dict().items()}


def equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_tuples_are_query_match_and_one_negative_per_other_cluster() -> None:
    data = small_data()
    clusters = data.covisibility.clusters
    for rule in ("hard", "random"):
        config = replace(SMALL, negative_rule=rule)
        tuples = draw_tuples(small_net(), data, config, epoch=1)
        assert tuples.shape == (8, 5)
        query, match, negatives = tuples[:, 0], tuples[:, 1], tuples[:, 2:]
        assert len(np.unique(query)) == len(query)
        assert (query != match).all()
        assert (clusters[query] == clusters[match]).all()
        for own, row in zip(clusters[query], clusters[negatives], strict=True):
            assert len({own, *row}) == 4
    assert not np.array_equal(tuples, draw_tuples(small_net(), data, config, epoch=2))


def test_training_lowers_the_loss_and_learns_p() -> None:
    net = small_net()
    history = fit(net, small_data(), replace(SMALL, epochs=6), progress=False)
    loss, p = history.column("loss"), history.column("p")
    assert loss[-1] < 0.8 * loss[0]
    assert p[0] != 3.0
    assert not net.training
    assert list(history.column("epoch")) == [1, 2, 3, 4, 5, 6]
    assert history.column("learning_rate")[1] == pytest.approx(1e-3 * np.exp(-0.15))


@pytest.mark.parametrize("pooling", ["mac", "spoc"])
def test_poolings_without_an_exponent_train_too(pooling: str) -> None:
    net = build_network("compact", pooling=pooling, channels=(8, "M", 12))
    before = weights(net)
    fit(net, small_data(), replace(SMALL, epochs=1), progress=False)
    assert not equal(before, weights(net))


def test_m1_takes_the_descriptors_of_the_network_before_training() -> None:
    config = replace(SMALL, epochs=1, positive_rule="m1")
    assert len(fit(small_net(), small_data(), config, progress=False).rows) == 1


def test_the_best_validated_epoch_is_kept() -> None:
    values = iter([0.2, 0.9, 0.4, 0.1])
    seen = []

    def validate(net: RetrievalNet) -> float:
        seen.append(weights(net))
        return next(values)

    net, data = small_net(), small_data()
    history = fit(net, TrainingData(data.images, data.covisibility, validate), SMALL, progress=False)
    assert history.best_epoch == 2
    assert equal(weights(net), seen[1])


def test_p_learns_faster_is_not_decayed_and_stays_a_mean() -> None:
    net = small_net()
    rest, exponent = parameter_groups(net, SMALL)
    assert isinstance(net.pool, GeM)
    assert [id(p) for p in exponent["params"]] == [id(net.pool.p)]
    assert (exponent["weight_decay"], exponent["rate"]) == (0.0, 10.0)
    assert rest["weight_decay"] == 5e-4
    with torch.no_grad():
        net.pool.p.fill_(1.0)
    fast = replace(SMALL, epochs=1, p_rate=1e4)
    fit(net, small_data(), fast, progress=False)
    assert float(net.pool.p.detach()) >= 1.0


def test_batch_statistics_stay_frozen() -> None:
    net = build_network("compact", channels=(8, "M", 12), batch_norm=True)
    before = {name: value.clone() for name, value in net.named_buffers()}
    fit(net, small_data(), replace(SMALL, epochs=1), progress=False)
    assert equal(before, dict(net.named_buffers()))
    for_training(net)
    assert net.training


def test_images_of_different_shapes_keep_their_order() -> None:
    data, net = small_data(sizes=(24, 36)), small_net()
    together = describe_by_shape(net, data.images, 1024, torch.device("cpu"))
    one_by_one = [describe_by_shape(net, [image], 1024, torch.device("cpu")) for image in data.images]
    torch.testing.assert_close(together, torch.cat(one_by_one), atol=1e-5, rtol=1e-5)
    fit(net, data, replace(SMALL, epochs=1), progress=False)


def test_the_seed_decides_the_run() -> None:
    nets = [small_net() for _ in range(3)]
    for net, seed in zip(nets, (0, 0, 1), strict=True):
        fit(net, small_data(), replace(SMALL, epochs=1, seed=seed), progress=False)
    assert equal(weights(nets[0]), weights(nets[1]))
    assert not equal(weights(nets[0]), weights(nets[2]))


# ------------------------------------------------------------------------------------- interrupted runs

KILLED = """
import os, signal, sys
import gem_lite.train as train
sys.path.insert(0, sys.argv[2])
from test_train import SMALL, small_data, small_net
steps, loss = 0, train.contrastive_loss
def counted(*args, **settings):
    global steps
    steps += 1
    if steps == 10:  # four steps an epoch: in the middle of the third
        os.kill(os.getpid(), signal.SIGKILL)
    return loss(*args, **settings)
train.contrastive_loss = counted
train.fit(small_net(), small_data(), SMALL, checkpoint=sys.argv[1], progress=False)
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_bit_for_bit(tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.pt"
    command = [sys.executable, "-c", KILLED, str(checkpoint), str(Path(__file__).parent)]
    assert subprocess.run(command).returncode == -9
    resumed = small_net()
    history = fit(resumed, small_data(), SMALL, checkpoint=checkpoint, progress=False)
    whole = small_net()
    expected = fit(whole, small_data(), SMALL, progress=False)
    assert equal(weights(resumed), weights(whole))
    assert np.array_equal(history.column("loss"), expected.column("loss"))
    assert [path.name for path in tmp_path.iterdir()] == ["run.pt"]


def test_a_finished_run_is_read_back_and_a_longer_one_goes_on(tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.pt"
    two, four = replace(SMALL, epochs=2), SMALL
    net = small_net()
    fit(net, small_data(), two, checkpoint=checkpoint, progress=False)
    again = small_net()
    fit(again, small_data(), two, checkpoint=checkpoint, progress=False)
    assert equal(weights(net), weights(again))
    longer, whole = small_net(), small_net()
    assert len(fit(longer, small_data(), four, checkpoint=checkpoint, progress=False).rows) == 4
    fit(whole, small_data(), four, progress=False)
    assert equal(weights(longer), weights(whole))


def test_a_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.pt"
    short = replace(SMALL, epochs=1)
    fit(small_net(), small_data(), short, checkpoint=checkpoint, progress=False)
    other = replace(short, margin=0.7)
    with pytest.raises(ValueError, match="other settings of margin"):
        fit(small_net(), small_data(), other, checkpoint=checkpoint, progress=False)


def test_history_is_plain_numbers(tmp_path: Path) -> None:
    history = fit(small_net(), small_data(), replace(SMALL, epochs=1), progress=False)
    assert json.loads(json.dumps(history.rows))[0]["images_per_s"] > 0
    assert copy.deepcopy(history).best_epoch == 1
