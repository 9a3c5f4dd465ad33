"""Faults planted in a copy of the checkout are at the top of the report; what changes nothing is not in it.

The copy's own run is accepted first, so that the machine's rounding has no part in it; how far a result may
move is what ``tests/expected/tiny.json`` says.
"""

from pathlib import Path

import pytest
from checkout import Checkout

pytestmark = pytest.mark.slow

TOP = 4  # "the first rows": p of two trainings, and how far each has moved
RETRIEVAL, POOLING, TRAINING, WHITENING = "01_retrieval", "03_pooling", "06_training", "08_whitening"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The copy without a fault, executed and accepted."""
    checkout = Checkout.of_this_one(tmp_path_factory.mktemp("sound"))
    chapters = (RETRIEVAL, POOLING, TRAINING, WHITENING)
    result = checkout.regress("accept", chapters, "--reason", "as it is on this machine")
    assert result.returncode == 0, result.stdout + result.stderr
    return checkout


def test_an_unchanged_copy_moves_nothing(sound: Checkout) -> None:
    result = sound.regress("compare", (RETRIEVAL, POOLING, TRAINING, WHITENING))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 to execute, 4 unchanged" in result.stdout
    assert "Nothing moved" in result.stdout


def test_p_started_at_two(sound: Checkout, tmp_path: Path) -> None:
    faulty = sound.copied(tmp_path / "copy")
    faulty.change(
        "gem_lite/fine_tuned.py",
        "net = pretrained(profile, seed, variant.pooling, variant.p)",
        "net = pretrained(profile, seed, variant.pooling, 2.0)",
    )
    assert "p_hard" in faulty.moved(TRAINING)[:TOP]


def test_the_last_normalisation_left_out(sound: Checkout, tmp_path: Path) -> None:
    faulty = sound.copied(tmp_path / "copy")
    faulty.change(
        "gem_lite/retrieval_net.py",
        "F.normalize(self.pool(self.feature_maps(images)), dim=1)",
        "self.pool(self.feature_maps(images))",
    )
    assert faulty.moved(POOLING)[0] == "descriptor_norm"


def test_junk_counted_as_negative(sound: Checkout, tmp_path: Path) -> None:
    faulty = sound.copied(tmp_path / "copy")
    faulty.change("gem_lite/evaluate.py", "return found - junk_above[found]", "return found")
    assert faulty.moved(RETRIEVAL)[0] == "example_ap"


def test_the_mean_left_out_of_whitening(sound: Checkout, tmp_path: Path) -> None:
    faulty = sound.copied(tmp_path / "copy")
    faulty.change(
        "gem_lite/whitening.py",
        "(rows - self.mean_.astype(rows.dtype, copy=False)) @ components.T",
        "rows @ components.T",
    )
    assert faulty.moved(WHITENING)[0] == "whitened_mean"


def test_a_refactoring_is_not_reported(sound: Checkout, tmp_path: Path) -> None:
    other = sound.copied(tmp_path / "copy")
    other.change("gem_lite/evaluate.py", "junk_above", "passed_over", times=2)
    other.change("gem_lite/whitening.py", "lengths", "norms", times=2)
    result = other.regress("compare", (RETRIEVAL, WHITENING))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "2 to execute" in result.stdout, "new source is executed again"
    assert "Nothing moved" in result.stdout


def test_another_number_of_threads_moves_nothing_beyond_the_spread(sound: Checkout, tmp_path: Path) -> None:
    other = sound.copied(tmp_path / "copy", networks=False)
    (other.root / "_build" / "executed" / "tiny" / f"{TRAINING}.json").unlink()
    assert other.moved(TRAINING, OMP_NUM_THREADS="2") == []
    trained = list((other.root / ".cache").glob("trained-tiny-*.pt"))
    assert trained, "all networks were trained again"
