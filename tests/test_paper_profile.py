"""The profile ``paper`` on a miniature of a revisited benchmark, the training set and a released network.

Everything is as with real data, but that the table of sources names local files: Toytown's pictures in the
layout of the benchmark and of retrieval-SfM, and networks of random weights in the formats of the authors'
code and of torchvision.
"""

import json
import pickle
import sys
from pathlib import Path

import numpy as np
import papermill
import pytest
import torch
import yaml
from torchvision import models

from figures.scales_curve import SETS
from gem_lite.checkpoints import open_network
from gem_lite.cli import main
from gem_lite.datasets import load_benchmark, load_sfm
from gem_lite.datasets.pairs import clusters_of_pairs, given_pairs
from gem_lite.evaluate import evaluate
from gem_lite.extract import extract
from gem_lite.mining import hard_negatives, positives
from gem_lite.network import build_network
from gem_lite.report import read_reports
from gem_lite.search import rank
from gem_lite.toytown.export import export
from gem_lite.whitening import PCAWhitening

HERE = Path(__file__).parent
SIZE = 96
POOLINGS = ("mac", "spoc", "gem")
NETWORK = "retrievalSfM120k-resnet101-gem"
TABLE = """
[networks]
{network} = "{folder}/released.pth"
[oxford5k]
images_dir = "{town}/test/toytown/jpg"
[roxford5k]
truth = "{folder}/gnd_roxford5k.pkl"
[retrieval-SfM-120k]
images_dir = "{town}/train/toytown/ims"
pairs = "{town}/train/toytown/toytown.pkl"
whiten = "{folder}/whiten.pkl"
"""


@pytest.fixture(scope="module")
def files():
    """The module that writes networks as the authors' code does."""
    sys.path.insert(0, str(HERE / "checkpoints"))
    try:
        import cirtorch_files

        yield cirtorch_files
    finally:
        sys.path.remove(str(HERE / "checkpoints"))


@pytest.fixture(scope="module")
def miniature(tmp_path_factory, files):
    """All files, and an environment that leads to them."""
    folder = tmp_path_factory.mktemp("paper")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEM_LITE_DATA", str(folder / "data"))
        patch.setenv("TORCH_HOME", str(folder / "torch"))
        patch.setenv("TQDM_DISABLE", "1")  # as the build does
        patch.setenv("GEM_LITE_SOURCES", str(folder / "own.toml"))
        town = folder / "town"
        export(town, "tiny", size=SIZE, workers=1)
        patch.setenv("GEM_LITE_CACHE", str(folder / "cache"))
        # As in the revisited benchmarks the queries are not in the database.
        truth = pickle.loads((town / "test/toytown/gnd_toytown.pkl").read_bytes())
        (folder / "gnd_roxford5k.pkl").write_bytes(pickle.dumps(without_queries(truth)))
        train = pickle.loads((town / "train/toytown/toytown.pkl").read_bytes())["train"]
        flat = {key: train[key] for key in ("cids", "qidxs", "pidxs")}
        (folder / "whiten.pkl").write_bytes(pickle.dumps(flat))
        net = files.reference_net("squeezenet1_0", "gem")
        files.write(files.released(net), folder / "released.pth")
        checkpoints = folder / "torch/hub/checkpoints"
        checkpoints.mkdir(parents=True)
        torch.manual_seed(1)
        imagenet = models.squeezenet1_0(weights=None).state_dict()
        torch.save(imagenet, checkpoints / Path(models.SqueezeNet1_0_Weights.IMAGENET1K_V1.url).name)
        (folder / "own.toml").write_text(TABLE.format(folder=folder, town=town, network=NETWORK))
        yield folder


def without_queries(truth):
    """The same ground truth over a database that lacks the queries' pictures."""
    kept = [row for row, name in enumerate(truth["imlist"]) if name not in truth["qimlist"]]
    place = {row: number for number, row in enumerate(kept)}
    gnd = [
        {"bbx": entry["bbx"]}
        | {kind: [place[row] for row in entry[kind] if row in place] for kind in ("easy", "hard", "junk")}
        for entry in truth["gnd"]
    ]
    return {"imlist": [truth["imlist"][row] for row in kept], "qimlist": truth["qimlist"], "gnd": gnd}


def executed(root, chapter, out):
    """What a chapter reports under the profile."""
    papermill.execute_notebook(
        root / "book" / f"{chapter}.ipynb",
        out / f"{chapter}.ipynb",
        parameters={**yaml.safe_load((root / "book/profiles/paper.yml").read_text()), "image_size": SIZE},
        cwd=root / "book",
        kernel_name="python3",
        progress_bar=False,
    )
    return {name: record.value for name, record in read_reports(out / f"{chapter}.ipynb").items()}


def command_line(out, *arguments):
    """mAP (%) by protocol that ``python -m gem_lite evaluate`` finds."""
    given = (
        "evaluate",
        "--dataset",
        "roxford5k",
        "--network",
        NETWORK,
        "--size",
        SIZE,
        "--json",
        out,
        "--quiet",
    )
    assert main([str(each) for each in (*given, *arguments)]) == 0
    return {name: 100 * found["map"] for name, found in json.loads(out.read_text())["results"].items()}


def off_the_shelf(pooling):
    """mAP (%), Medium, of torchvision's network under this pooling."""
    bench = load_benchmark("roxford5k")
    net = build_network("squeezenet1_0", pooling, weights="imagenet")
    how = {"size": SIZE, "progress": False}
    queries = extract(net, bench.queries, boxes=bench.boxes, **how)
    ranks, _ = rank(queries, extract(net, bench.images, **how))
    return 100 * evaluate(ranks, bench.gnd, "medium").map


@pytest.mark.slow
def test_the_pipeline_chapter_agrees_with_the_command_line(root, miniature, tmp_path):
    found = executed(root, "11_pipeline", tmp_path)
    alone = command_line(tmp_path / "one.json")
    assert found["map_tuned"] == pytest.approx(alone["medium"], abs=0.01)
    assert found["hard_tuned"] == pytest.approx(alone["hard"], abs=0.01)

    # Whitening from the training set's pairs, the scales that validation chose, α-QE: the last line.
    scales = SETS[found["scales_chosen"]]
    train = load_sfm("retrieval-SfM-120k", "whiten").images
    rows = extract(open_network(miniature / "released.pth"), train, size=SIZE, scales=scales, progress=False)
    kept = len(PCAWhitening().fit(rows).components_)
    whole = command_line(
        tmp_path / "whole.json",
        *("--whitening", "lw:retrieval-SfM-120k", "--dimensions", kept, "--expansion", "50:3"),
        *("--scales", ",".join(map(str, scales))),
    )
    assert found["map_expanded"] == pytest.approx(whole["medium"], abs=0.01)
    assert found["hard_expanded"] == pytest.approx(whole["hard"], abs=0.01)
    assert found["map_expanded"] != pytest.approx(found["map_tuned"], abs=0.1)

    for pooling in POOLINGS:
        assert found[f"map_{pooling}_off"] == pytest.approx(off_the_shelf(pooling), abs=0.01)
    assert found["without_mac"] == found["without_spoc"] == "not measured"
    assert np.isfinite(found["map_whitened"])


@pytest.mark.slow
@pytest.mark.parametrize("chapter", ["08_whitening", "09_scales", "10_expansion"])
def test_the_chapters_before_it_run_on_photographs(root, miniature, tmp_path, chapter):
    found = executed(root, chapter, tmp_path)
    alone = command_line(tmp_path / "one.json")["medium"]
    name = {"08_whitening": "map_gem_tuned_raw", "09_scales": "map_one_tuned", "10_expansion": "none_raw"}
    assert found[name[chapter]] == pytest.approx(alone, abs=0.01)


@pytest.mark.slow
def test_the_first_chapters_questions_are_asked_of_photographs(root, miniature, tmp_path):
    found = executed(root, "e_other_pictures", tmp_path)
    for pooling in POOLINGS:
        assert found[f"map_{pooling}_off"] == pytest.approx(off_the_shelf(pooling), abs=0.01)
    # The exponent that came with the released network is among those tried.
    assert found["learned_p"] == pytest.approx(open_network(miniature / "released.pth").pool.p.item())
    assert found["map_own_tuned"] == pytest.approx(command_line(tmp_path / "one.json")["medium"], abs=0.01)

    # Positives and hard negatives are those of the training set's pairs.
    pairs = load_sfm("retrieval-SfM-120k", "whiten")
    q, p = pairs.queries, pairs.positives
    known = given_pairs(clusters_of_pairs(len(pairs.images), q, p), q, p)
    net = open_network(miniature / "released.pth")
    x = extract(net, pairs.images, size=SIZE, progress=False)
    asked = np.unique(q)
    matches = positives(asked, known, "m3", seed=0)
    negatives = hard_negatives(x[asked], x, known.clusters[asked], known.clusters)
    near = np.linalg.norm(x[asked] - x[matches], axis=1)
    far = np.linalg.norm(x[asked][:, None] - x[negatives], axis=2)
    assert found["positive_tuned"] == pytest.approx(near.mean(), abs=1e-4)
    assert found["negative_tuned"] == pytest.approx(far.mean(), abs=1e-4)
    assert found["wrong_tuned"] == pytest.approx(100 * (far[:, 0] < near).mean(), abs=1)
