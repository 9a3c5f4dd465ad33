"""The paper's training sets in miniature, own folders and lists: to what `fit` takes, and through it."""

import io
import pickle

import numpy as np
import pytest
from archives_in_memory import tar_of
from PIL import Image

from gem_lite.datasets import load_collection, load_sfm
from gem_lite.datasets.fetch import MissingDataError
from gem_lite.datasets.pairs import clusters_of_pairs, given_pairs, pairs_of_classes
from gem_lite.datasets.sfm import paired_images
from gem_lite.datasets.sources import UnknownSourceError
from gem_lite.datasets.training import own_training_data, pairs_validation
from gem_lite.mining import positives
from gem_lite.network import build_network
from gem_lite.safe_pickle import UnsafePickleError
from gem_lite.toytown.export import export
from gem_lite.train import TrainConfig, TrainingData, fit

CIDS = [f"{number:032x}" for number in (0xA1B2C3, 0xD4E5F6, 0x123456, 0x654321)]
DB = {"cids": CIDS, "cluster": [5, 5, 9, 9], "qidxs": [0, 0, 2], "pidxs": [1, 1, 3]}
FLAT = {"cids": CIDS, "qidxs": [0, 2], "pidxs": [1, 3]}


def jpeg(seed, size=32):
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "jpeg")
    return buffer.getvalue()


def place(cid):
    return f"{cid[-2:]}/{cid[-4:-2]}/{cid[-6:-4]}/{cid}"


@pytest.fixture
def world(server, data, tmp_path, monkeypatch):
    server.add("cmp/train/ims/ims.tar.gz", tar_of({place(cid): jpeg(row) for row, cid in enumerate(CIDS)}))
    train = {**DB, "cluster": np.array(DB["cluster"])}  # arrays come as lists
    server.add("cmp/train/dbs/retrieval-SfM-120k.pkl", pickle.dumps({"train": train, "val": DB}))
    for size in (30, 120):
        server.add(f"cmp/train/dbs/retrieval-SfM-{size}k-whiten.pkl", pickle.dumps(FLAT))
    (tmp_path / "own.toml").write_text(f'[bases]\ncmp = "{server.address}/cmp"\n')
    monkeypatch.setenv("GEM_LITE_SOURCES", str(tmp_path / "own.toml"))
    return server


def test_sfm_comes_with_pictures_pairs_and_clusters(world, data):
    found = load_sfm(progress=False)
    assert [path.read_bytes() for path in found.images] == [jpeg(row) for row in range(4)]
    assert found.images[0] == data / "train" / "retrieval-SfM-120k" / "ims" / place(CIDS[0])
    known = found.covisibility
    assert known.clusters.tolist() == [5, 5, 9, 9]
    assert [known.candidates(row).tolist() for row in range(4)] == [[1], [], [3], []]
    assert positives([0, 2], known).tolist() == [1, 3]
    assert load_sfm(split="val", progress=False).queries.tolist() == [0, 0, 2]


def test_whitening_sets_of_both_sizes_share_the_pictures(world):
    for name in ("retrieval-SfM-30k", "retrieval-SfM-120k"):
        found = load_sfm(name, "whiten", progress=False)
        assert (found.queries.tolist(), found.positives.tolist()) == ([0, 2], [1, 3])
        with pytest.raises(ValueError, match="does not name clusters"):
            _ = found.covisibility
    assert len(world.ranges("cmp/train/ims/ims.tar.gz")) == 1
    with pytest.raises(UnknownSourceError, match="retrieval-SfM-30k has no split 'train', only whiten"):
        load_sfm("retrieval-SfM-30k", progress=False)
    with pytest.raises(UnknownSourceError, match="unknown split 'test'"):
        load_sfm(split="test", progress=False)


class Attack:
    def __reduce__(self):
        return print, ("was here",)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"cids": ["../../etc/passwd", *CIDS[1:]]}, ValueError, "is no name of a picture"),
        ({"cids": ["/etc/passwd", *CIDS[1:]]}, ValueError, "is no name of a picture"),
        ({"cids": CIDS[:3]}, ValueError, "there are 3 pictures, and 4 clusters"),
        ({"qidxs": [0, 0, 4]}, ValueError, "qidxs holds something that is no index into the 4"),
        ({"pidxs": [1]}, ValueError, "3 queries and 1 positives"),
        ({"cluster": "abcd"}, ValueError, "with the lists"),
        ({"cids": [*CIDS[:3], f"{0xFFFFFF:032x}"]}, MissingDataError, "1 of the 4 pictures"),
        ({"more": Attack()}, UnsafePickleError, r"it asks for builtins\.print"),
    ],
)
def test_a_damaged_or_hostile_file_of_pairs_is_refused(tmp_path, change, error, message):
    for row, cid in enumerate(CIDS):
        (tmp_path / place(cid)).parent.mkdir(parents=True)
        (tmp_path / place(cid)).write_bytes(jpeg(row))
    path = tmp_path / "pairs.pkl"
    path.write_bytes(pickle.dumps({"train": DB | change}))
    with pytest.raises(error, match=message):
        paired_images(path, tmp_path)


def test_pairs_across_clusters_or_of_one_image_are_refused():
    for queries, matches in (([0], [2]), ([1], [1])):
        with pytest.raises(ValueError, match="pair 0, of images"):
            given_pairs([0, 0, 1], queries, matches)
    with pytest.raises(ValueError, match="beyond the 3"):
        given_pairs([0, 0, 1], [0], [3])


def test_large_classes_keep_some_pairs_of_every_image():
    known = pairs_of_classes([0] * 30 + [1] * 3 + [2], most=5)
    counts = np.diff(known.starts)
    assert counts.tolist() == [5] * 30 + [2] * 3 + [0]
    assert all(len(set(known.candidates(row))) == counts[row] for row in range(34))


def test_pairs_link_clusters():
    assert clusters_of_pairs(4, [0, 1], [1, 2]).tolist() == [0, 0, 0, 1]


@pytest.fixture
def folder(tmp_path):
    """Five things with three noisy pictures each, a broken one, and a file that is no picture."""
    for thing in range(5):
        base = np.random.default_rng(thing).integers(0, 200, (6, 6, 3), dtype=np.uint8)
        base = base.repeat(6, 0).repeat(6, 1)
        (tmp_path / "mine" / f"thing{thing}").mkdir(parents=True)
        for view in range(3):
            noise = np.random.default_rng(10 * thing + view).integers(0, 50, base.shape, dtype=np.uint8)
            Image.fromarray(base + noise).save(tmp_path / "mine" / f"thing{thing}" / f"{view}.png")
    (tmp_path / "mine" / "thing0" / "broken.jpg").write_text("no picture")
    (tmp_path / "mine" / "thing0" / "notes.txt").write_text("not looked at")
    return tmp_path / "mine"


TINY = {"channels": (8, "M", 8)}


def test_folders_as_classes_are_trained_on(folder):
    with pytest.warns(UserWarning, match=r"1 of 16 pictures cannot be read .*\n.*broken\.jpg"):
        data = own_training_data(folder, held_out=0.4, size=32, progress=False)
    assert len(data.images) == 9
    assert len(data.covisibility.pairs()[0]) == 3 * 3 * 2
    net = build_network("compact", **TINY)
    config = TrainConfig(epochs=1, tuples=4, negatives=1, batch=2, mining_pool=9, image_size=32)
    history = fit(net, data, config, progress=False)
    assert 0 < history.rows[0]["validation"] <= 1
    assert np.isfinite(history.rows[0]["loss"])


def test_lists_of_classes_or_pairs_are_trained_on(folder, tmp_path):
    (tmp_path / "classes.csv").write_text(
        "image, class\nthing0/0.png, a\nthing1/0.png, a\nthing2/0.png, b\nthing3/0.png, b\n"
    )
    data = own_training_data(folder, tmp_path / "classes.csv", held_out=0, check=False, progress=False)
    assert data.covisibility.clusters.tolist() == [0, 0, 1, 1]
    assert data.validate is None
    (tmp_path / "pairs.csv").write_text(
        "image_a,image_b\nthing0/0.png,thing1/0.png\nthing2/0.png,thing3/0.png\n"
    )
    with pytest.warns(UserWarning, match="cannot be read"):
        data = own_training_data(folder, tmp_path / "pairs.csv", held_out=0, progress=False)
    assert len(data.images) == 15, "pictures without a pair serve as negatives"
    assert len(set(data.covisibility.clusters.tolist())) == 13
    assert len(data.covisibility.pairs()[0]) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,class\nthing9/0.png,a\n", r"line 2: there is no readable picture 'thing9/0\.png'"),
        ("image,class\nthing0/0.png,\n", "line 2: image and class must not be empty"),
        ("picture,class\n1,2\n", "columns image, class: image lacks"),
        ("image,class\n", "no line below its header"),
        ("image,class\nthing0/0.png,a\nthing0/1.png,a\n", "no matching pair in two different"),
    ],
)
def test_lists_that_do_not_fit_are_explained(folder, tmp_path, text, message):
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        own_training_data(folder, tmp_path / "list.csv", check=False, progress=False)


def test_the_validation_of_pairs_knows_a_perfect_network(tmp_path):
    """Pictures of one colour, two of each, and a network that sees colours: every match comes first."""
    paths = []
    for row, colour in enumerate(((250, 0, 0), (240, 0, 0), (0, 250, 0), (0, 240, 0))):
        paths.append(tmp_path / f"{row}.png")
        Image.new("RGB", (40, 40), colour).save(paths[-1])

    class Colour:
        def __call__(self, images):
            return images.mean((2, 3)) / images.mean((2, 3)).norm(dim=1, keepdim=True)

    import torch

    class Net(torch.nn.Module):
        forward = Colour.__call__

    assert pairs_validation(paths, given_pairs([0, 0, 1, 1], [0, 2], [1, 3]))(Net()) == 1.0
    # The same with a ground truth against what the network sees.
    assert pairs_validation(paths, given_pairs([0, 1, 0, 1], [0, 1], [2, 3]))(Net()) < 0.5


def test_toytowns_export_is_a_training_set_and_a_benchmark(tmp_path, monkeypatch):
    monkeypatch.setenv("GEM_LITE_CACHE", str(tmp_path / "cache"))
    export(tmp_path / "town", "tiny", size=32, splits=["val"], workers=1)
    found = paired_images(
        tmp_path / "town/train/toytown/toytown.pkl", tmp_path / "town/train/toytown/ims", "val"
    )
    known = found.covisibility
    np.testing.assert_array_equal(known.pairs(), np.unique([found.queries, found.positives], axis=1))
    assert TrainingData(found.images, known).covisibility is known


def test_a_folder_is_a_benchmark_of_its_classes(folder):
    found = load_collection(folder, "classes")
    assert len(found.names) == 16
    assert len(found.queries) == 16
    assert found.gnd[0] == {"ok": [1, 2, 3], "junk": [0], "bbx": None}
    assert found.protocols == ("classic",)
    assert load_collection(folder).gnd == []


def test_own_lists_of_right_answers(folder, tmp_path):
    (tmp_path / "mine.csv").write_text(
        "query,image,label,x1,y1,x2,y2\n"
        "thing0/0.png,thing0/1.png,,1,2,30,31\n"
        "thing0/0,thing0/0.png,junk,,,,\n"
        "thing1/0.png,thing1/1.png,positive\n"
    )
    found = load_collection(folder, tmp_path / "mine.csv")
    names = found.names
    assert found.query_names == ["thing0/0.png", "thing1/0.png"]
    assert found.gnd[0] == {"ok": [names.index("thing0/1.png")], "junk": [0], "bbx": [1, 2, 30, 31]}
    assert found.boxes == [[1, 2, 30, 31], None]
    (tmp_path / "mine.json").write_text(
        '{"queries": [{"image": "thing0/0.png", "positives": ["thing0/1.png"]}]}'
    )
    assert load_collection(folder, tmp_path / "mine.json").gnd[0]["ok"] == found.gnd[0]["ok"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "query,image,label\nthing0/0.png,thing0/1.png,good", "line 2: unknown label 'good'"),
        ("a.csv", "query,image\nthing0/0.png,cat.png", r"line 2: there is no picture 'cat\.png'"),
        ("a.csv", "query,image,label\nthing0/0,thing0/1,easy\nthing0/0,thing0/2,positive", "either positive"),
        ("a.csv", "query,image\nthing0/0,thing0/1\nthing0/0,thing0/1", "twice"),
        ("a.csv", "query,image,x1,y1,x2,y2\nthing0/0,thing0/1,a,1,1,1", "line 2: the box"),
        ("a.json", '{"queries": [{"image": "thing0/0.png"}]}', r"queries\[0\] lacks, or names .*positives"),
        ("a.json", '{"queries": [{"image": "thing0/0.png", "positives": ["cat.png"]}]}', r"cat\.png"),
    ],
)
def test_own_lists_that_do_not_fit_are_explained(folder, tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        load_collection(folder, tmp_path / name)
