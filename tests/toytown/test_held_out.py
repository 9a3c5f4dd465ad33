"""The test split: its ground truth, and that nothing which tunes can open its door."""

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import gem_lite
from gem_lite.cache import source_closure
from gem_lite.evaluate import evaluate
from gem_lite.profiles import get_profile
from gem_lite.toytown import World, load, load_test
from gem_lite.toytown.dataset import ImageSet
from gem_lite.toytown.ground_truth import labels, landmark_box, query_views
from gem_lite.toytown.renderer import CLUTTER, LANDMARK

# What chooses settings, or makes something that settings were chosen for; those that exist are held to it.
TUNING = (
    *("steps", "pretrain", "off_the_shelf", "fine_tuned", "train", "mining", "losses", "whitening"),
    *("network", "pooling"),
)
DOORS = {"load_test", "held_out", "TestSet"}
PACKAGE = Path(gem_lite.__file__).parent


# ---- the database


def test_the_database_is_the_test_views_and_then_the_distractors(test_set):
    profile = get_profile("tiny")
    tested, distracting = profile.test[0] * profile.test[1], profile.distractors[0] * profile.distractors[1]
    assert (len(test_set), test_set.n_test) == (tested + distracting, tested)
    assert not set(test_set.landmarks[:tested]) & set(test_set.landmarks[tested:])
    distractors = load("tiny", 0, "distractors")
    np.testing.assert_array_equal(test_set.images[tested:], distractors.images)
    assert len(set(test_set.names)) == len(test_set)


def test_gnd_has_the_structure_of_the_revisited_benchmarks(test_set):
    content = test_set.gnd()
    assert set(content) == {"imlist", "qimlist", "gnd"}
    assert len(content["imlist"]) == len(test_set)
    assert set(content["qimlist"]) <= set(content["imlist"])
    assert len(content["gnd"]) == len(content["qimlist"]) == len(test_set.query_rows)
    for name, entry in zip(content["qimlist"], content["gnd"], strict=True):
        assert set(entry) == {"bbx", "easy", "hard", "junk"}
        assert content["imlist"].index(name) in entry["junk"]
        assert all(type(value) is int for part in entry.values() for value in part)


def test_every_view_of_the_querys_landmark_has_one_label_and_no_other_image_has(test_set):
    for query, entry in zip(test_set.query_rows, test_set.ground_truth, strict=True):
        same = np.flatnonzero(test_set.landmarks == test_set.landmarks[query])
        assert sorted(entry["easy"] + entry["hard"] + entry["junk"]) == same.tolist()


def test_a_perfect_ranking_is_perfect_and_the_worst_is_not(test_set):
    rows = np.arange(len(test_set))
    positives = [set(entry["easy"] + entry["hard"]) for entry in test_set.ground_truth]
    best = np.array([sorted(rows, key=lambda row: row not in found) for found in positives])
    assert evaluate(best, test_set.ground_truth, "medium").map == 1
    assert evaluate(best[:, ::-1], test_set.ground_truth, "medium").map < 0.5


def test_queries_are_the_first_good_views_at_most_three_of_a_landmark(test_set):
    for landmark in np.unique(test_set.landmarks[: test_set.n_test]):
        views = np.flatnonzero(test_set.landmarks == landmark)
        share = (test_set.masks[views] == LANDMARK).mean(axis=(1, 2))
        good = views[(test_set.visible[views].sum(axis=1) >= 120) & (share > 0.12)]
        assert test_set.query_rows[test_set.query_groups == landmark].tolist() == good[:3].tolist()
    np.testing.assert_array_equal(test_set.query_groups, test_set.landmarks[test_set.query_rows])


def test_repr_says_how_many_landmarks_have_few_queries(test_set):
    assert test_set.landmarks_with_few_queries()[0] == get_profile("tiny").test[0]
    few = replace(test_set, query_rows=test_set.query_rows[1:], query_groups=test_set.query_groups[1:])
    more = test_set.landmarks_with_few_queries()[1] + 1
    assert f"{more} landmarks have fewer than 3" in repr(few)


# ---- labels by hand


def hand_made(visible: list[range], landmarks: list[int]) -> ImageSet:
    """Images of 10 x 10 pixels, the landmark in the middle 6 x 6; of 900 points they see these."""
    n = len(visible)
    masks = np.zeros((n, 10, 10), dtype=np.uint8)
    masks[:, 2:8, 2:8] = LANDMARK
    seen = np.zeros((n, 900), dtype=bool)
    for row, points in zip(seen, visible, strict=True):
        row[points] = True
    images = np.zeros((n, 10, 10, 3), dtype=np.uint8)
    scales = np.ones(n, dtype=np.float32)
    return ImageSet(images, masks, np.array(landmarks), np.arange(n), seen, scales, World())


def test_labels_follow_the_overlap_with_the_querys_points():
    seen = [range(200), range(100, 300), range(101, 300), range(160, 300), range(161, 300), range(200)]
    images = hand_made(seen, [7, 7, 7, 7, 7, 8])
    # Of the query's 200 points the others see 100 (easy), 99, 40 (hard), 39 (junk); 5 is another landmark.
    assert labels(images, 0) == {"bbx": [0, 0, 10, 10], "easy": [1], "hard": [2, 3], "junk": [0, 4]}


def test_views_with_few_points_or_a_small_landmark_are_no_queries():
    images = hand_made([range(119), range(120), range(300), range(300), range(300), range(300)], [7] * 6)
    images.masks[2, :, 4:] = 0  # 12 of 100 pixels are left, which is not more than 0.12
    assert query_views(images).tolist() == [1, 3, 4]


def test_no_good_view_at_all_is_an_error():
    with pytest.raises(ValueError, match="no view shows enough"):
        query_views(hand_made([range(119)], [7]))


def test_a_box_stays_in_the_picture():
    mask = np.zeros((20, 30), dtype=np.uint8)
    mask[1:4, 10:29] = LANDMARK
    assert landmark_box(mask) == [8, 0, 30, 6]


# ---- without clutter


def test_without_clutter_only_the_pixels_change(test_set):
    bare = load_test("tiny", 0, World(clutter=(0, 0)), workers=1)
    assert not (bare.masks == CLUTTER).any()
    assert (test_set.masks == CLUTTER).any()
    assert bare.gnd() == test_set.gnd()
    for field in ("query_rows", "query_groups", "landmarks", "views"):
        np.testing.assert_array_equal(getattr(bare, field), getattr(test_set, field))
    assert (bare.visible & ~test_set.visible).any(), "clutter hid some points"
    assert not (test_set.visible & ~bare.visible).any(), "and uncovers none"
    untouched = ~(test_set.masks == CLUTTER)
    assert (bare.masks[untouched] == test_set.masks[untouched]).mean() > 0.99


# ---- the one door


def names_used(node: ast.AST) -> set[str]:
    """Identifiers, attributes, imported names and strings anywhere below a node."""
    found: set[str] = set()
    for child in ast.walk(node):
        if isinstance(child, ast.Name):
            found.add(child.id)
        elif isinstance(child, ast.Attribute):
            found.add(child.attr)
        elif isinstance(child, ast.alias):
            found.update(child.name.split("."))
        elif isinstance(child, ast.ImportFrom) and child.module:
            found.update(child.module.split("."))
    return found


def existing(modules: tuple[str, ...]) -> list[str]:
    return [f"gem_lite.{name}" for name in modules if (PACKAGE / f"{name}.py").is_file()]


def test_the_modules_that_tune_exist():
    assert {"gem_lite.steps", "gem_lite.pretrain"} <= set(existing(TUNING))


def test_code_that_tunes_never_names_the_test_split():
    """In all that these modules import, too. Only the step that renders the test split may name its door."""
    closure = source_closure(existing(TUNING))
    assert PACKAGE / "toytown" / "held_out.py" not in closure
    for path in closure:
        if path.suffix != ".py":
            continue
        for node in ast.parse(path.read_text(encoding="utf8")).body:
            if path == PACKAGE / "steps.py" and getattr(node, "name", "") == "render_test_step":
                continue
            assert not names_used(node) & DOORS, f"{path.name}, line {node.lineno}, names the test split"


def test_only_the_table_of_steps_names_the_step_that_renders_the_test_split():
    tree = ast.parse((PACKAGE / "steps.py").read_text(encoding="utf8"))
    users = [node for node in tree.body if "render_test_step" in names_used(node)]
    assert [type(node) for node in users] == [ast.AnnAssign]


@pytest.mark.slow
def test_importing_code_that_tunes_does_not_load_the_test_split():
    modules = [*existing(TUNING), "gem_lite.toytown"]
    code = f"""
import importlib, sys
for name in {modules}:
    importlib.import_module(name)
    assert "gem_lite.toytown.held_out" not in sys.modules, name
import gem_lite.toytown
gem_lite.toytown.load_test
assert "gem_lite.toytown.held_out" in sys.modules
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_an_unknown_attribute_of_the_package_is_the_usual_error():
    with pytest.raises(AttributeError, match="no attribute 'load_validation'"):
        gem_lite.toytown.load_validation  # noqa: B018
