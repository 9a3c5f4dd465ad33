"""Chapter 12 on folders of photographs: the mAP of the reference, and folders that nobody has prepared."""

import papermill
import pytest
import yaml

from gem_lite.checkpoints import save
from gem_lite.datasets import load_ground_truth
from gem_lite.network import build_network, save_network
from gem_lite.report import read_reports
from gem_lite.toytown.export import export

pytestmark = pytest.mark.slow
WEIGHTS = "weights/squeezenet1_0_deepcompression_tvnorm.pt"
# Mean AP of SPoC and of GeM for each kind of photograph, as the chapter quotes them.
BY_KIND = {
    "bld": (100.0, 100.0),
    "ev": (33.9, 5.6),
    "hg": (100.0, 69.6),
    "lm": (1.6, 1.2),
    "multi": (83.8, 84.3),
    "obj": (87.6, 87.6),
    "other": (100.0, 100.0),
    "wx": (39.4, 35.8),
}


def executed(root, out, **parameters):
    """What the chapter reports when it is executed with these parameters."""
    papermill.execute_notebook(
        root / "book" / "12_your_photographs.ipynb",
        out / "executed.ipynb",
        parameters={"profile": "tiny", "seed": 0, **parameters},
        cwd=root / "book",
        kernel_name="python3",
        progress_bar=False,
    )
    return {name: record.value for name, record in read_reports(out / "executed.ipynb").items()}


def test_map_on_photographs_is_that_of_the_reference(root, test_data, tmp_path):
    """Preprocessing, weights and expected numbers are those of the README beside the photographs."""
    photos = test_data / "photos"
    found = executed(
        root,
        tmp_path,
        photos_dir=str(photos),
        ground_truth=str(photos / "gnd.json"),
        instances=str(photos / "instances.json"),
        architecture="squeezenet1_0",
        weights=str(test_data / WEIGHTS),
        image_size=512,
        enlarge=True,
        resample="bilinear",
        crop_queries=False,
        size_factors=[],
    )
    assert found["map_mac"] == pytest.approx(75.1, abs=0.3)
    assert found["map_spoc"] == pytest.approx(80.5, abs=0.3)
    assert found["map_gem"] == pytest.approx(77.4, abs=0.3)
    # The paired interval, over families: not settled in favour of either pooling.
    assert found["gem_minus_spoc"] == pytest.approx(-3.1, abs=0.3)
    assert "is not settled" in found["verdict"]
    for kind, quoted in BY_KIND.items():
        assert (found[f"spoc_{kind}"], found[f"gem_{kind}"]) == pytest.approx(quoted, abs=1.0), kind
    assert found["unreadable"] == 0
    assert found["finds_itself"] == "finds itself"
    assert found["network_comes_back"] == "the same descriptor"


@pytest.fixture
def weights(tmp_path):
    """A saved network; what it has learned does not matter here."""
    save_network(build_network("compact"), tmp_path / "compact.pt")
    return str(tmp_path / "compact.pt")


def test_folder_without_ground_truth_and_with_a_broken_file(root, tmp_path, weights):
    from PIL import Image

    folder = tmp_path / "mine"
    (folder / "holiday").mkdir(parents=True)
    for number, size in enumerate([(90, 60), (60, 90), (40, 40), (120, 30), (64, 64), (50, 80)]):
        Image.effect_noise(size, 20 * number + 5).convert("RGB").save(folder / "holiday" / f"{number}.JPG")
    (folder / "broken.png").write_text("not a picture")
    (folder / "notes.txt").write_text("not looked at")
    found = executed(root, tmp_path, photos_dir=str(folder), weights=weights)
    assert found["pictures"] == 7
    assert found["unreadable"] == 1
    assert found["finds_itself"] == "finds itself"
    assert found["verdict"] == "nothing was scored"
    assert not [name for name in found if name.startswith("map_")]


def test_photograph_network_without_weights_is_refused(root, tmp_path):
    from PIL import Image

    (tmp_path / "mine").mkdir()
    Image.new("RGB", (64, 64)).save(tmp_path / "mine" / "one.png")
    with pytest.raises(papermill.PapermillExecutionError, match="resnet50 has no weights"):
        executed(root, tmp_path, photos_dir=str(tmp_path / "mine"), architecture="resnet50")


def test_the_paper_profile_takes_a_benchmark_and_a_released_network(root, tmp_path, monkeypatch):
    """As with real data, but that the table of sources names local files: Toytown's, and a random network."""
    monkeypatch.setenv("GEM_LITE_CACHE", str(tmp_path / "cache"))
    export(tmp_path / "town", "tiny", size=64, splits=["test"], workers=1)
    save(build_network("squeezenet1_0", p=2.5), tmp_path / "released.safetensors")
    town = tmp_path / "town/test/toytown"
    (tmp_path / "own.toml").write_text(
        f'[networks]\nretrievalSfM120k-resnet101-gem = "{tmp_path}/released.safetensors"\n'
        f'[oxford5k]\nimages_dir = "{town}/jpg"\n[roxford5k]\ntruth = "{town}/gnd_toytown.pkl"\n'
    )
    monkeypatch.setenv("GEM_LITE_SOURCES", str(tmp_path / "own.toml"))
    parameters = yaml.safe_load((root / "book/profiles/paper.yml").read_text())
    found = executed(root, tmp_path, **parameters, size_factors=[])
    truth = load_ground_truth(town / "gnd_toytown.pkl")
    assert found["pictures"] == len(truth["imlist"])
    assert found["image_size"] == 1024
    assert found["dimension"] == 512
    assert 0 < found["map_gem"] < 100
