"""The command line on a folder, on Toytown's export and on photographs; each command goes on where it was."""

import json
import os
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from gem_lite.checkpoints import open_network, save
from gem_lite.cli import COMMANDS, main, parser
from gem_lite.cli import options as module
from gem_lite.datasets import load_collection
from gem_lite.datasets.sfm import paired_images
from gem_lite.datasets.training import own_training_data
from gem_lite.evaluate import evaluate
from gem_lite.extract import extract
from gem_lite.network import build_network
from gem_lite.search import expand_queries, rank
from gem_lite.shards import Shards
from gem_lite.toytown.export import export
from gem_lite.whitening import LearnedWhitening, PCAWhitening

COMPACT = (16, "M", 32)
SEVEN = ("scales", "image size", "query", "mean, std", "whitening", "junk", "query and database")


@pytest.fixture(scope="module", autouse=True)
def _own_folders(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("GEM_LITE_DATA", str(tmp_path_factory.mktemp("data")))
    patch.delenv("GEM_LITE_SOURCES", raising=False)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def net_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("net") / "compact.safetensors"
    save(build_network("compact", channels=COMPACT), path)
    return path


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    """Six things with three noisy pictures each, in a folder for each, and a broken picture."""
    folder = tmp_path_factory.mktemp("things")
    for thing in range(6):
        base = np.random.default_rng(thing).integers(0, 200, (5, 8, 3), dtype=np.uint8)
        base = base.repeat(8, 0).repeat(8, 1)
        (folder / f"thing{thing}").mkdir()
        for view in range(3):
            noise = np.random.default_rng(100 + 10 * thing + view).integers(0, 50, base.shape, dtype=np.uint8)
            Image.fromarray(base + noise).save(folder / f"thing{thing}" / f"{view}.png")
    (folder / "thing0" / "broken.jpg").write_text("no picture")
    return folder


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """Toytown's export: a benchmark and a training set, as files."""
    patch = pytest.MonkeyPatch()
    patch.setenv("GEM_LITE_CACHE", str(tmp_path_factory.mktemp("cache")))
    folder = tmp_path_factory.mktemp("town")
    export(folder, "tiny", size=64, splits=["test", "val"], workers=1)
    patch.undo()
    return folder


def run(*arguments):
    return main([str(each) for each in arguments])


# Broken pictures among the things are reported as warnings; the tests that are about it ask for them.
pytestmark = pytest.mark.filterwarnings("ignore:.*could not be read")


def test_every_command_explains_itself_with_an_example(capsys):
    for command in COMMANDS:
        name = command.__name__.rsplit(".", 1)[-1]
        with pytest.raises(SystemExit) as ended:
            run(name, "--help")
        text = capsys.readouterr().out
        assert ended.value.code == 0
        assert f"python -m gem_lite {name}" in text.split("options:")[0].replace("usage: ", "", 1)
        for action in parser()._subparsers._group_actions[0].choices[name]._actions:
            assert action.help, f"{name} does not explain {action.option_strings or action.dest}"
    with pytest.raises(SystemExit):
        run("--help")
    overview = capsys.readouterr().out
    assert all(f"\n    {command.__name__.rsplit('.', 1)[-1]} " in overview for command in COMMANDS)


@pytest.mark.slow
def test_it_starts_as_a_module(root):
    done = subprocess.run(
        [sys.executable, "-m", "gem_lite", "query", "nowhere", "a.jpg"],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("gem_lite query: nowhere is no index")
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_evaluate_on_toytowns_export_agrees_with_the_library(town, net_file, tmp_path, capsys):
    jpg, truth = town / "test/toytown/jpg", town / "test/toytown/gnd_toytown.pkl"
    code = run(
        *("evaluate", "--dataset", jpg, "--truth", truth, "--network", net_file, "--size", 64),
        *("--scales", "multi", "--expansion", "3:3", "--json", tmp_path / "out.json"),
    )
    assert code == 0
    text = capsys.readouterr().out
    net, bench = open_network(net_file), load_collection(jpg, truth)
    how = {"size": 64, "scales": module.SCALE_SETS["multi"], "progress": False}
    database = extract(net, bench.images, **how)
    queries = extract(net, bench.queries, boxes=bench.boxes, **how)
    queries = expand_queries(queries, database, 3, 3.0, exclude=bench.query_rows)
    ranks, _ = rank(queries, database)
    found = json.loads((tmp_path / "out.json").read_text())
    for protocol in ("easy", "medium", "hard"):
        expected = evaluate(ranks, bench.gnd, protocol)
        assert found["results"][protocol]["map"] == pytest.approx(expected.map, abs=1e-6)
        assert list(found["results"][protocol]["mp"].values()) == pytest.approx(expected.mp, abs=1e-6)
        assert re.search(
            rf"{protocol} +{100 * expected.map:.2f} +[\d.]+ to [\d.]+ +{100 * expected.mp[0]:.2f}", text
        )
    for name in SEVEN:
        assert re.search(rf"^{name} +\S", text, re.MULTILINE), name
    assert "1, 0.7071, 0.5; generalised mean with exponent 3" in text
    assert "longer side at most 64 pixels (lanczos)" in text
    assert "cut out by their boxes" in text
    assert "α-weighted, first 3 answers, α = 3" in text


@pytest.mark.slow
def test_evaluate_with_learned_and_pca_whitening(town, net_file, tmp_path, capsys):
    """On the pairs of Toytown's validation landmarks, through the file of pairs that training sets have."""
    jpg, truth = town / "test/toytown/jpg", town / "test/toytown/gnd_toytown.pkl"
    pairs = tmp_path / "whitening-whiten.pkl"
    content = pickle.loads((town / "train/toytown/toytown.pkl").read_bytes())["val"]
    pairs.write_bytes(pickle.dumps({name: content[name] for name in ("cids", "qidxs", "pidxs")}))
    (tmp_path / "ims").symlink_to(town / "train/toytown/ims")
    common = ("evaluate", "--dataset", jpg, "--truth", truth, "--network", net_file, "--size", 64)
    found = {}
    for wanted in (f"lw:{pairs}", f"pca:{jpg}", "none"):
        assert (
            run(*common, "--whitening", wanted, "--json", tmp_path / "out.json", "--work", tmp_path / "w")
            == 0
        )
        found[wanted[:2]] = json.loads((tmp_path / "out.json").read_text())["results"]["medium"]["map"]
    net, bench = open_network(net_file), load_collection(jpg, truth)
    database = extract(net, bench.images, 64, progress=False)
    queries = extract(net, bench.queries, 64, boxes=bench.boxes, progress=False)
    learn = paired_images(pairs, tmp_path / "ims", "whiten")
    rows = extract(net, learn.images, 64, progress=False)
    whitenings = {
        "lw": LearnedWhitening().fit(rows, pairs=(learn.queries, learn.positives)),
        "pc": PCAWhitening().fit(database),
    }
    for name, whitening in whitenings.items():
        ranks, _ = rank(whitening.transform(queries), whitening.transform(database))
        assert found[name] == pytest.approx(evaluate(ranks, bench.gnd, "medium").map, abs=1e-4), name
    assert len(set(found.values())) == 3, "the three ways differ"
    assert f"of {len(learn.images)} pictures of {pairs}" in capsys.readouterr().out


@pytest.mark.slow
def test_photographs_score_as_the_reference(test_data, tmp_path, capsys):
    """245 photographs, an ImageNet SqueezeNet, the settings and the figure of the README beside them."""
    photos = test_data / "photos"
    listing = json.loads((photos / "gnd.json").read_text())
    # Every sixth query is enough to see that everything is wired right; the chapter's test asks all.
    few = {**listing, "queries": listing["queries"][::6]}
    (tmp_path / "few.json").write_text(json.dumps(few))
    code = run(
        *("evaluate", "--dataset", photos, "--truth", tmp_path / "few.json", "--network", "squeezenet1_0"),
        *("--weights", test_data / "weights/squeezenet1_0_deepcompression_tvnorm.pt", "--size", 224),
        *("--resample", "bilinear", "--enlarge", "--no-crop", "--json", tmp_path / "out.json"),
    )
    assert code == 0
    found = json.loads((tmp_path / "out.json").read_text())
    text = capsys.readouterr().out
    assert "classic" in text
    assert "bilinear), smaller ones enlarged" in text
    assert "whole pictures" in text
    assert found["settings"]["pictures"].startswith("245, of which 0")
    assert 0.6 < found["results"]["classic"]["map"] < 0.95


def test_an_interrupted_extraction_goes_on(things, net_file, tmp_path, monkeypatch, capsys):
    """The second block fails as by Ctrl-C; what was described stays, and is not described again."""
    from gem_lite import extraction

    monkeypatch.setattr(
        extraction.extract_to_shards,
        "__kwdefaults__",
        {**extraction.extract_to_shards.__kwdefaults__, "rows": 4},
    )
    described = []
    real = extraction.extract

    def interrupted(net, images, *arguments, **options):
        described.append(len(images))
        if len(described) == 3:
            raise KeyboardInterrupt
        return real(net, images, *arguments, **options)

    monkeypatch.setattr(extraction, "extract", interrupted)
    command = (
        "extract",
        things,
        "--out",
        tmp_path / "d",
        "--network",
        net_file,
        "--npy",
        tmp_path / "all.npy",
    )
    assert run(*command) == 130
    assert "the same command goes on from here" in capsys.readouterr().err
    assert run(*command) == 0
    assert described == [4, 4, 4, 4, 4, 3]
    names = json.loads((tmp_path / "d/names.json").read_text())
    rows = Shards(tmp_path / "d")
    assert names[0] == "thing0/0.png"
    alone = real(open_network(net_file), [things / "thing2/1.png"], 1024, progress=False)[0]
    np.testing.assert_allclose(rows[names.index("thing2/1.png")], alone, atol=1e-6)
    np.testing.assert_array_equal(np.load(tmp_path / "all.npy"), np.asarray(rows))
    assert np.isnan(rows[names.index("thing0/broken.jpg")]).all()
    assert "19 descriptors of 32 numbers" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["exact", "hnsw"])
def test_an_index_is_asked(things, net_file, tmp_path, capsys, kind):
    if kind != "exact":
        pytest.importorskip("faiss")
    index = tmp_path / "index"
    assert run("index", things, "--out", index, "--network", net_file, "--kind", kind) == 0
    assert "19 pictures" in capsys.readouterr().out
    asked = things / "thing3" / "1.png"
    assert run("query", index, asked, "--top", 3, "--json", "--picture", tmp_path / "answers.png") == 0
    answers = json.loads(capsys.readouterr().out)[0]["answers"]
    assert answers[0] == ["thing3/1.png", pytest.approx(1, abs=1e-3)]
    assert {name.split("/")[0] for name, _ in answers} == {"thing3"}
    with Image.open(tmp_path / "answers.png") as sheet:
        assert sheet.size == (4 * 170 + 10, 170 + 18 + 10)
    assert run("query", index, asked, "--top", 2, "--expansion", "2:3", "--box", 0, 0, 30, 30) == 0
    assert "thing3/" in capsys.readouterr().out


def test_a_whitened_index_whitens_its_queries(things, net_file, tmp_path, capsys):
    index = tmp_path / "index"
    arguments = ("--network", net_file, "--whitening", f"lw:{things}", "--dimensions", 8)
    assert run("index", things, "--out", index, *arguments) == 0
    assert "8 numbers each; 1 could not be read" in capsys.readouterr().out
    assert run("query", index, things / "thing1/2.png", "--top", 1) == 0
    assert re.search(r"1\.000  thing1/2\.png", capsys.readouterr().out)


def test_an_index_refuses_another_network(things, net_file, tmp_path, capsys):
    index = tmp_path / "index"
    run("index", things, "--out", index, "--network", net_file)
    other = tmp_path / "other.safetensors"
    save(build_network("compact", channels=COMPACT, seed=1), other)
    assert run("query", index, things / "thing1/2.png", "--network", other) == 1
    assert "is not the network that made" in capsys.readouterr().err
    assert run("index", things, "--out", index, "--network", other) == 1
    assert "holds descriptors of another network" in capsys.readouterr().err


def test_train_goes_on_after_an_interruption_and_ends_as_without_one(
    things, net_file, tmp_path, monkeypatch, capsys
):
    common = (
        *(
            "--network",
            net_file,
            "--epochs",
            2,
            "--tuples",
            4,
            "--negatives",
            2,
            "--batch",
            2,
            "--rate",
            1e-3,
        ),
        *("--size", 64, "--validation-size", 64, "--held-out", 0.34, "--device", "cpu"),
    )
    with pytest.warns(UserWarning, match="1 of 19 pictures cannot be read"):
        assert run("train", things, "--out", tmp_path / "whole.safetensors", *common) == 0
    printed = capsys.readouterr()
    assert re.search(r"whole\.safetensors holds the network of epoch [12]", printed.out)

    from gem_lite import train

    real, calls = train._Run.step, []

    def interrupted(self, tuples):
        calls.append(1)
        if len(calls) == 4:  # in the second epoch
            raise KeyboardInterrupt
        return real(self, tuples)

    monkeypatch.setattr(train._Run, "step", interrupted)
    with pytest.warns(UserWarning, match="cannot be read"):
        assert run("train", things, "--out", tmp_path / "cut.safetensors", *common) == 130
    assert not (tmp_path / "cut.safetensors").exists()
    monkeypatch.setattr(train._Run, "step", real)
    with pytest.warns(UserWarning, match="cannot be read"):
        assert run("train", things, "--out", tmp_path / "cut.safetensors", *common) == 0
    whole, cut = (open_network(tmp_path / f"{name}.safetensors").state_dict() for name in ("whole", "cut"))
    for name, value in whole.items():
        torch.testing.assert_close(cut[name], value, rtol=0, atol=1e-6)
    start = open_network(net_file).state_dict()
    assert any(not torch.equal(start[name], value) for name, value in whole.items()), "something was learned"
    history = json.loads((tmp_path / "cut.safetensors.history.json").read_text())
    assert [row["epoch"] for row in history] == [1, 2]
    assert not (tmp_path / "cut.safetensors.checkpoint").exists()
    assert run("train", things, "--out", tmp_path / "cut.safetensors", *common) == 1
    assert "is there already" in capsys.readouterr().err


@pytest.mark.slow
def test_train_by_two_processes_is_that_of_one(things, net_file, tmp_path, root):
    """The command as a user types it; float32, so equal up to what rounding makes of two steps."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    common = (
        *("--network", net_file, "--epochs", 1, "--tuples", 4, "--batch", 2, "--rate", 1e-4),
        *("--size", 64, "--validation-size", 64, "--held-out", 0.34, "--device", "cpu"),
    )
    done = {}
    for name, launcher in (("one", ()), ("two", torchrun)):
        command = [*launcher, "-m", "gem_lite", "train", things, "--out", tmp_path / f"{name}.safetensors"]
        done[name] = subprocess.run(
            [sys.executable, *map(str, (*command, *common))],
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done[name].returncode == 0, done[name].stderr
    # The first process alone speaks and writes.
    assert done["two"].stdout.count("holds the network of epoch 1") == 1
    assert done["two"].stderr.count("note: 1 of 19 pictures cannot be read") == 1
    assert done["two"].stderr.count("each query has 3 negatives instead of 5") == 1
    assert not list(tmp_path.glob("*.checkpoint"))
    one, two = (
        json.loads((tmp_path / f"{name}.safetensors.history.json").read_text()) for name in ("one", "two")
    )
    assert [row["epoch"] for row in two] == [1]
    for name in ("loss", "p", "validation"):
        assert two[0][name] == pytest.approx(one[0][name], rel=1e-5), name
    start = open_network(net_file).state_dict()
    one, two = (open_network(tmp_path / f"{name}.safetensors").state_dict() for name in ("one", "two"))
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=0, atol=1e-6)
    assert any(not torch.equal(start[name], value) for name, value in one.items()), "something was learned"


def test_few_classes_get_fewer_negatives(things):
    from gem_lite.cli.train import PAPER, fitting

    data = own_training_data(things, held_out=0.5, check=False)
    with pytest.warns(
        UserWarning, match="only 3 things to tell apart, so each query has 2 negatives instead of 5"
    ):
        assert fitting(PAPER, data).negatives == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("evaluate", "--dataset", "oxford", "--network", "NET"),
            "unknown data set 'oxford'; known: oxford5k",
        ),
        (("evaluate", "--dataset", "holidays", "--network", "NET"), "no address of the pictures of holidays"),
        (("evaluate", "--dataset", "THINGS", "--network", "NET"), "this folder has no queries: give --truth"),
        (("evaluate", "--dataset", "roxford5k", "--network", "NET", "--no-download"), "is not there"),
        (("evaluate", "--dataset", "THINGS", "--network", "resnet5"), "neither a file nor an architecture"),
        (("extract", "nowhere", "--out", "OUT", "--network", "NET"), "neither a folder nor a list nowhere"),
        (("extract", "THINGS", "--out", "OUT", "--network", "README.md"), "README.md"),
        (
            ("index", "THINGS", "--out", "OUT", "--network", "NET", "--whitening", "stored"),
            "no stored whitening",
        ),
        (
            ("index", "THINGS", "--out", "OUT", "--network", "NET", "--whitening", "x"),
            "unknown --whitening 'x'",
        ),
        (("index", "THINGS", "--out", "OUT", "--network", "NET", "--dimensions", "3"), "needs a --whitening"),
        (("download", "oxford"), "unknown set 'oxford'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    arguments, message, things, net_file, tmp_path, root, monkeypatch, capsys
):
    monkeypatch.chdir(root)
    stands_for = {"NET": net_file, "THINGS": things, "OUT": tmp_path / "out"}
    assert run(*(stands_for.get(each, each) for each in arguments)) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"gem_lite {arguments[0]}: ")
    assert message in error


@pytest.mark.parametrize(
    "arguments", [("--scales", "1,zero"), ("--scales", "-1"), ("--expansion", "50"), ("--expansion", "0:3")]
)
def test_bad_values_are_named(arguments, net_file, capsys):
    with pytest.raises(SystemExit):
        run("evaluate", "--dataset", "x", "--network", net_file, *arguments)
    assert arguments[1] in capsys.readouterr().err


def test_the_list_of_sets_says_where_an_address_is_missing(capsys):
    assert run("download", "--list") == 0
    text = capsys.readouterr().out
    assert re.search(
        r"^holidays +no address is known: put the pictures into test/holidays/jpg", text, re.MULTILINE
    )
    assert re.search(r"^roxford5k\+1m +roxford5k and revisitop1m", text, re.MULTILINE)
