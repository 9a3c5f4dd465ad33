"""Training shared by two processes: the same tuples, gradients and weights as one process."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from gem_lite import distributed, train
from gem_lite.processes import processes

HERE = Path(__file__).parent
Results = list[dict[str, np.ndarray]]


@pytest.fixture(scope="module")
def worker() -> Iterator[object]:
    """The module that the processes run, here for the results of a single one."""
    sys.path.insert(0, str(HERE))
    try:
        import distributed_worker

        yield distributed_worker
    finally:
        sys.path.remove(str(HERE))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """What each of two gloo processes on the CPU found."""
    folder = tmp_path_factory.mktemp("distributed")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parent)}
    command = [*launcher, str(HERE / "distributed_worker.py"), str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stderr
    found = []
    for rank in (0, 1):
        with np.load(folder / f"rank{rank}.npz") as stored:
            found.append(dict(stored))
    return found


@pytest.mark.slow
def test_an_epoch_in_float64_is_that_of_one_process(two: Results, worker: object) -> None:
    single, history = worker.trained(worker.EPOCH, torch.float64)  # type: ignore[attr-defined]
    for found in two:
        for name, expected in single.items():
            np.testing.assert_allclose(found[f"epoch {name}"], expected, rtol=1e-9, atol=1e-9, err_msg=name)
        np.testing.assert_allclose(found["loss"], history.column("loss"), rtol=1e-9)


@pytest.mark.slow
def test_the_first_gradient_in_float32_is_that_of_one_process(two: Results, worker: object) -> None:
    single, _ = worker.trained(worker.STEP, torch.float32)  # type: ignore[attr-defined]
    gradients = {name: value for name, value in single.items() if name.startswith("gradient")}
    assert len(gradients) > 3
    for found in two:
        for name, expected in gradients.items():
            difference = np.abs(found[f"step {name}"] - expected).max()
            assert difference <= 1e-5 * np.abs(expected).max(), name


@pytest.mark.slow
def test_hard_negatives_are_mined_over_all_processes(two: Results, worker: object) -> None:
    torch.manual_seed(0)
    net, data = worker.small_net().double(), worker.small_data(sizes=(24, 36))  # type: ignore[attr-defined]
    expected = train.draw_tuples(net, data, worker.SMALL, 1)  # type: ignore[attr-defined]
    for found in two:
        assert np.array_equal(found["mined"], expected)
        np.testing.assert_allclose(found["alone"], train.describe(net, data.images[:1], 64), atol=1e-6)


@pytest.mark.slow
def test_all_keep_the_epoch_that_the_first_process_validated_best(two: Results) -> None:
    for found in two:
        assert found["validation"].tolist() == [
            0.9,
            0.9,
        ]  # a resumed run validates anew, from its list's start


@pytest.mark.slow
def test_all_say_what_went_wrong_in_one(two: Results) -> None:
    for found in two:
        failed, other_file = found["errors"]
        assert "missing.jpg" in failed
        assert "not the same file for every process" in other_file
    assert two[0]["errors"][0].startswith("process 1 of 2 failed, describing images: ImageError")


def test_without_torchrun_it_is_plain_training(worker: object) -> None:
    shared, plain = worker.small_net(), worker.small_net()  # type: ignore[attr-defined]
    data, config = worker.small_data(), worker.STEP  # type: ignore[attr-defined]
    plain.load_state_dict(shared.state_dict())
    with processes("cpu") as here:
        assert (here.rank, here.count, here.device.type) == (0, 1, "cpu")
        distributed.fit(shared, data, config, progress=False)
    train.fit(plain, data, config, progress=False)
    for ours, theirs in zip(shared.parameters(), plain.parameters(), strict=True):
        assert torch.equal(ours, theirs)
