"""An export is read here as a stranger would: pickle, PIL and the layouts' definitions, no gem_lite."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gem_lite.datasets import load_ground_truth
from gem_lite.toytown.export import export

pytestmark = pytest.mark.slow  # three splits are rendered and written

SIZE = 80


@pytest.fixture(scope="module")
def exported(tmp_path_factory, train, val, test_set) -> Path:
    folder = tmp_path_factory.mktemp("export")
    export(folder, "tiny", 0, size=SIZE, quality=90, workers=1)
    return folder


class PlainData(pickle.Unpickler):
    """Refuses every name: the files hold lists, dictionaries, strings and numbers."""

    def find_class(self, module: str, name: str):
        raise AssertionError(f"{module}.{name} in an exported file")


def read(path: Path):
    with path.open("rb") as file:
        return PlainData(file).load()


def picture(path: Path, side: int = SIZE) -> np.ndarray:
    with Image.open(path) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (side, side))
        return np.asarray(image)


def assert_shows(path: Path, images, row: int) -> None:
    """The exported picture is this one, rendered larger, and is not the next one."""
    shown = picture(path).astype(float)
    assert np.abs(shown - images.larger(row, SIZE).image).mean() < 8  # JPEG smooths the noise
    other = np.abs(shown - images.larger((row + 7) % len(images), SIZE).image).mean()
    assert other > 20


# ---- Oxford and Paris


def test_the_test_folder_has_every_image_and_query(exported, test_set):
    content = read(exported / "test/toytown/gnd_toytown.pkl")
    assert set(content) == {"imlist", "qimlist", "gnd"}
    on_disk = {path.stem for path in (exported / "test/toytown/jpg").iterdir()}
    assert on_disk == set(content["imlist"])
    assert set(content["qimlist"]) <= on_disk
    assert len(content["imlist"]) == len(test_set)


def test_the_test_pictures_are_the_database_in_its_order(exported, test_set):
    names = read(exported / "test/toytown/gnd_toytown.pkl")["imlist"]
    for row in (0, 17, len(test_set) - 1):
        assert_shows(exported / f"test/toytown/jpg/{names[row]}.jpg", test_set, row)


def test_the_exported_labels_are_the_test_sets(exported, test_set):
    content = read(exported / "test/toytown/gnd_toytown.pkl")
    rows = [content["imlist"].index(name) for name in content["qimlist"]]
    assert rows == test_set.query_rows.tolist()
    for entry, expected in zip(content["gnd"], test_set.ground_truth, strict=True):
        assert [entry[kind] for kind in ("easy", "hard", "junk")] == [
            expected[kind] for kind in ("easy", "hard", "junk")
        ]


def test_boxes_hold_the_landmark_at_the_exported_size(exported, test_set):
    content = read(exported / "test/toytown/gnd_toytown.pkl")
    scale = SIZE / test_set.images.shape[1]
    for entry, expected in zip(content["gnd"], test_set.ground_truth, strict=True):
        np.testing.assert_allclose(entry["bbx"], [scale * edge for edge in expected["bbx"]], atol=0.01)
        assert 0 <= entry["bbx"][0] < entry["bbx"][2] <= SIZE
        assert 0 <= entry["bbx"][1] < entry["bbx"][3] <= SIZE


def test_the_projects_own_reader_takes_the_ground_truth(exported, test_set):
    found = load_ground_truth(exported / "test/toytown/gnd_toytown.pkl")
    assert found["imlist"] == test_set.names
    assert [entry["easy"] for entry in found["gnd"]] == [entry["easy"] for entry in test_set.ground_truth]


# ---- retrieval-SfM


def file_of(folder: Path, cid: str) -> Path:
    """cid2filename of the reference code."""
    return folder / "train/toytown/ims" / cid[-2:] / cid[-4:-2] / cid[-6:-4] / cid


@pytest.mark.parametrize("split", ["train", "val"])
def test_the_training_set_has_the_same_clusters_pairs_and_images(split, exported, request):
    images = request.getfixturevalue(split)
    table = read(exported / "train/toytown/toytown.pkl")[split]
    assert set(table) == {"cids", "cluster", "qidxs", "pidxs"}
    assert all(len(cid) == 32 and set(cid) <= set("0123456789abcdef") for cid in table["cids"])
    assert len(set(table["cids"])) == len(table["cids"]) == len(images)
    assert table["cluster"] == images.landmarks.tolist()

    expected = {
        (query, int(candidate))
        for query in range(len(images))
        for candidate in images.covisibility.candidates(query)
    }
    found = list(zip(table["qidxs"], table["pidxs"], strict=True))
    assert len(found) == len(set(found))
    assert set(found) == expected

    for row in (0, len(images) - 1):
        assert_shows(file_of(exported, table["cids"][row]), images, row)
    assert all(file_of(exported, cid).is_file() for cid in table["cids"])


def test_nothing_else_is_in_the_export(exported):
    tables = read(exported / "train/toytown/toytown.pkl")
    pictures = {file_of(exported, cid) for table in tables.values() for cid in table["cids"]}
    assert {path for path in (exported / "train/toytown/ims").rglob("*") if path.is_file()} == pictures
    assert {path.name for path in exported.iterdir()} == {"train", "test", "README.txt", "export.json"}
    assert "80 test pictures, " in (exported / "README.txt").read_text()


# ---- again, and with errors


def snapshot(folder: Path) -> dict[Path, tuple[int, bytes]]:
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in (".json", ".txt", ".pkl")
    }


def test_a_second_export_writes_only_what_is_missing(tmp_path, val):
    export(tmp_path, "tiny", 0, size=32, splits=["val"], workers=1)
    before = snapshot(tmp_path)
    lost = list(before)[3]
    lost.unlink()
    export(tmp_path, "tiny", 0, size=32, splits=["val"], workers=1)
    after = snapshot(tmp_path)
    assert after.keys() == before.keys()
    assert [path for path in after if after[path][0] != before[path][0]] == [lost]
    assert after[lost][1] == before[lost][1]


def test_an_interrupted_export_leaves_no_table_and_is_continued(tmp_path, val, monkeypatch):
    from gem_lite.toytown import export as module

    original, calls = module.render_landmark, []

    def stops_at_the_third(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(module, "render_landmark", stops_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        export(tmp_path, "tiny", 0, size=32, splits=["val"], workers=1)
    kept = snapshot(tmp_path)
    assert len(kept) == 2 * 5
    assert not (tmp_path / "train/toytown/toytown.pkl").exists()
    export(tmp_path, "tiny", 0, size=32, splits=["val"], workers=1)
    assert kept.items() <= snapshot(tmp_path).items()
    assert set(read(tmp_path / "train/toytown/toytown.pkl")) == {"val"}


def test_a_split_can_be_added_later(tmp_path, train, val):
    export(tmp_path, "tiny", 0, size=32, splits=["val"], workers=1)
    export(tmp_path, "tiny", 0, size=32, splits=["train"], workers=1)
    assert set(read(tmp_path / "train/toytown/toytown.pkl")) == {"train", "val"}


def test_another_export_in_the_same_folder_is_refused(tmp_path, val):
    export(tmp_path, "tiny", 0, size=32, splits=["val"], workers=1)
    with pytest.raises(ValueError, match=r"other settings.*choose another directory"):
        export(tmp_path, "tiny", 0, size=48, splits=["val"], workers=1)
    assert json.loads((tmp_path / "export.json").read_text())["size"] == 32


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"splits": ["tests"]}, r"unknown splits \['tests'\]; known: test, train, val"),
        ({"splits": []}, "no split"),
        ({"quality": 101}, "quality must be in 1..95"),
        ({"size": 0}, "size positive"),
    ],
)
def test_wrong_options_are_explained(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        export(tmp_path / "new", "tiny", **options)
    assert not (tmp_path / "new").exists()


def test_the_command_line_exports_and_draws_a_contact_sheet(tmp_path):
    command = [sys.executable, "-m", "gem_lite.toytown"]
    options = ["--profile", "tiny", "--seed", "0"]
    done = subprocess.run(
        [*command, "export", tmp_path / "out", *options, "--size", "48", "--splits", "val"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    table = read(tmp_path / "out/train/toytown/toytown.pkl")["val"]
    assert picture(file_of(tmp_path / "out", table["cids"][0]), side=48).std() > 5

    sheet = tmp_path / "sheet.png"
    done = subprocess.run(
        [*command, "contact-sheet", sheet, *options, "--split", "val"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    with Image.open(sheet) as image:
        assert image.size == (5 * 64, 6 * 64)


def test_an_unknown_split_on_the_command_line_lists_the_known_ones(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "gem_lite.toytown", "export", tmp_path, "--splits", "all"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "'test', 'train', 'val'" in done.stderr
