"""Each variant is trained once and kept; validation measures by the rules of the test, on other landmarks."""

from pathlib import Path

import numpy as np
import pytest
import torch

from gem_lite import fine_tuned as module
from gem_lite import toytown
from gem_lite.evaluate import average_precision
from gem_lite.extract import extract
from gem_lite.fine_tuned import Variant, fine_tuned, train_config
from gem_lite.network import build_network
from gem_lite.threads import fixed_threads
from gem_lite.toytown.ground_truth import labels, query_views
from gem_lite.validation import validation_map


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GEM_LITE_CACHE", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("variant", "name"),
    [
        (Variant(), "gem"),
        (Variant("mac"), "mac"),
        (Variant(negatives="random"), "gem-random"),
        (Variant(positives="m1"), "gem-m1"),
        (Variant(p=10.0, learn_p=False), "gem-p10-fixed"),
        (Variant(per_channel=True), "gem-per-channel"),
    ],
)
def test_a_name_says_what_is_different(variant: Variant, name: str) -> None:
    assert variant.name == name


def test_settings_come_from_the_profile_and_the_variant() -> None:
    config = train_config("lite", 3, Variant(negatives="random", positives="m2"))
    assert (config.epochs, config.tuples, config.mining_pool, config.seed) == (6, 300, 160, 3)
    assert (config.negative_rule, config.positive_rule) == ("random", "m2")


@pytest.mark.slow
def test_the_number_of_threads_moves_no_weight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    states = []
    for threads in (1, 3):
        monkeypatch.setenv("GEM_LITE_CACHE", str(tmp_path / str(threads)))
        with fixed_threads(threads):
            states.append(fine_tuned("tiny")[0].state_dict())
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


@pytest.mark.slow
def test_every_channel_learns_an_exponent_of_its_own(own_cache: Path) -> None:
    net, _ = fine_tuned("tiny", variant=Variant(per_channel=True))
    exponents = net.pool.p.detach()
    assert exponents.shape == (net.dim,)
    assert len(exponents.unique()) > 1
    assert (exponents >= 1).all()


@pytest.mark.slow
def test_an_interrupted_training_goes_on_and_a_finished_one_is_kept(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = module.fit

    def stopped_after_one_epoch(*args: object, **settings: object) -> object:
        settings["title"] = "stopped"
        validate = args[1].validate  # type: ignore[attr-defined]
        calls = []

        def second_call_stops(net: object) -> float:
            calls.append(net)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return validate(net)

        object.__setattr__(args[1], "validate", second_call_stops)
        return fit(*args, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "fit", stopped_after_one_epoch)
    with pytest.raises(KeyboardInterrupt):
        fine_tuned("tiny")
    assert len(list(own_cache.glob("trained-*.checkpoint"))) == 1
    monkeypatch.setattr(module, "fit", fit)
    net, history = fine_tuned("tiny")
    assert len(history.rows) == 2
    assert not list(own_cache.glob("trained-*.checkpoint"))

    monkeypatch.setattr(module, "fit", None)  # a second training would fail
    again, same = fine_tuned("tiny")
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), again.parameters(), strict=True))
    assert same.rows == history.rows


@pytest.mark.slow
def test_validation_measures_by_the_rules_of_the_test(own_cache: Path) -> None:
    """Cropped queries against all images of the split, junk left out, trapezoid AP: done here by hand."""
    images = toytown.load("tiny", 0, "val")
    net = build_network("compact")
    rows = query_views(images)
    truth = [labels(images, int(row)) for row in rows]
    database = extract(net, images.images, progress=False)
    aps = []
    for row, entry in zip(rows, truth, strict=True):
        x1, y1, x2, y2 = entry["bbx"]
        query = extract(net, [images.images[row][y1:y2, x1:x2]], progress=False)[0]
        order = [i for i in np.argsort(-(database @ query), kind="stable") if i not in entry["junk"]]
        positives = {*entry["easy"], *entry["hard"]}
        found = [position for position, i in enumerate(order) if i in positives]
        aps.append(average_precision(found, len(found)))
    assert validation_map(images)(net) == pytest.approx(np.nanmean(aps), abs=1e-9)
