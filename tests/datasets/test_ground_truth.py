"""Ground truths: the real files, and what is wrong with others."""

import json
import os
import pickle

import numpy as np
import pytest

from gem_lite.datasets import load_ground_truth
from gem_lite.safe_pickle import UnsafePickleError


def small_truth():
    return {
        "imlist": ["a", "b", "c", "d"],
        "qimlist": ["q"],
        "gnd": [{"easy": [0], "hard": [1], "junk": [2], "bbx": [0.0, 0.0, 10.0, 5.0]}],
    }


def saved(tmp_path, truth):
    path = tmp_path / "gnd_small.pkl"
    path.write_bytes(pickle.dumps(truth))
    return path


@pytest.mark.parametrize(("name", "images", "no_easy"), [("roxford5k", 4993, 2), ("rparis6k", 6322, 0)])
def test_the_real_files_load_as_pickle_would(test_data, name, images, no_easy):
    path = test_data / "gnd" / f"gnd_{name}.pkl"
    truth = load_ground_truth(path)
    assert truth == pickle.loads(path.read_bytes())
    assert len(truth["imlist"]) == images
    assert len(truth["qimlist"]) == len(truth["gnd"]) == 70
    assert sum(not query["easy"] for query in truth["gnd"]) == no_easy


def test_arrays_in_the_file_come_back_as_lists(tmp_path):
    truth = small_truth()
    truth["imlist"] = np.array(truth["imlist"], dtype=object)
    truth["gnd"][0] = {name: np.array(values) for name, values in truth["gnd"][0].items()}
    assert load_ground_truth(saved(tmp_path, truth)) == small_truth()


def test_classic_and_json(tmp_path):
    truth = {"imlist": ["a", "b"], "qimlist": ["a"], "gnd": [{"ok": [1], "junk": [0], "bbx": None}]}
    path = tmp_path / "gnd.json"
    path.write_text(json.dumps(truth))
    assert load_ground_truth(path) == load_ground_truth(saved(tmp_path, truth)) == truth


def test_a_hostile_file_is_refused_by_its_name(tmp_path):
    class Attack:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'was_here'}",)

    path = saved(tmp_path, {**small_truth(), "extra": Attack()})
    with pytest.raises(UnsafePickleError, match=r"gnd_small\.pkl: it asks for (posix|nt)\.system"):
        load_ground_truth(path)
    assert not (tmp_path / "was_here").exists()


def with_query(**changes):
    truth = small_truth()
    truth["gnd"][0].update(changes)
    return truth


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        ([1, 2], "must be a mapping with the lists imlist, qimlist and gnd"),
        ({"imlist": [], "qimlist": []}, "must be a mapping"),
        ({**small_truth(), "qimlist": ["q", "r"]}, "gnd has 1 entries for 2 queries"),
        ({**small_truth(), "imlist": ["a", 7]}, r"imlist\[1\] is not an image name"),
        ({**small_truth(), "qimlist": ["../../etc/passwd"]}, r"qimlist\[0\] leads out of the folder"),
        ({**small_truth(), "qimlist": ["/etc/passwd"]}, "leads out of the folder"),
        ({**small_truth(), "qimlist": ["C:\\secret"]}, "leads out of the folder"),
        ({**small_truth(), "gnd": [[1]]}, r"gnd\[0\] is not a mapping"),
        ({**small_truth(), "gnd": [{"junk": []}]}, "easy, hard and junk, or ok and junk"),
        (with_query(easy=[4]), r"gnd\[0\]\['easy'\] holds something that is no index into the 4 images"),
        (with_query(easy=[-1]), "no index"),
        (with_query(easy=[0.0]), "no index"),
        (with_query(easy=["a"]), "no index"),
        (with_query(easy=[True]), "no index"),
        (with_query(easy="abc"), "not a list of indices"),
        (with_query(easy=[0, 1]), "names image 1 twice, in easy and in hard"),
        (with_query(bbx=[1, 2, 3]), r"not \[x1, y1, x2, y2\]"),
        (with_query(bbx=[1, 2, 3, float("nan")]), "no number"),
        (with_query(bbx=[5, 0, 5, 9]), "is empty"),
    ],
)
def test_other_structures_are_refused_with_what_is_wrong(tmp_path, truth, message):
    with pytest.raises(ValueError, match=message):
        load_ground_truth(saved(tmp_path, truth))


def test_damaged_files_are_named(tmp_path):
    whole = saved(tmp_path, small_truth())
    whole.write_bytes(whole.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"gnd_small\.pkl is not a readable pickle"):
        load_ground_truth(whole)
    (tmp_path / "gnd.json").write_text("{")
    with pytest.raises(ValueError, match="not readable JSON"):
        load_ground_truth(tmp_path / "gnd.json")
