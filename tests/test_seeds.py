"""Random streams depend on their names and on nothing else."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_lite.seeds import stream, torch_seed

names = st.lists(st.one_of(st.integers(), st.text(alphabet="abc/:", max_size=4)), min_size=1, max_size=3)


@given(names, names)
def test_different_names_give_different_streams(a: list[int | str], b: list[int | str]) -> None:
    same = np.array_equal(stream(*a).integers(0, 2**62, 4), stream(*b).integers(0, 2**62, 4))
    assert same == (a == b)
    assert (torch_seed(*a) == torch_seed(*b)) == (a == b)


def test_the_type_of_a_name_counts() -> None:
    assert stream("view", 1).random() != stream("view", "1").random()


def test_a_stream_needs_a_name() -> None:
    with pytest.raises(ValueError, match="needs at least one name"):
        stream()


def test_another_process_draws_the_same_numbers() -> None:
    code = "from gem_lite.seeds import stream, torch_seed; print(stream('a', 1).random(), torch_seed('a'))"
    runs = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout for _ in range(2)
    }
    assert runs == {f"{stream('a', 1).random()} {torch_seed('a')}\n"}
