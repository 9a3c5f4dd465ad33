"""The table of benchmarks: three stand-ins, one that runs, one that lacks something, one that breaks."""

import importlib.util
import json
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPTS = {
    "good": "record('time against another', 3.25, 'x', 'at least 2.5', threads=2)",
    "absent": "import sys; print('no such folder', file=sys.stderr); sys.exit(2)",
    "broken": "record('half', 1.0, 's'); raise RuntimeError('out of luck')",
}


@pytest.fixture
def runner(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`tests/benchmarks/run.py` over a folder of stand-ins."""
    spec = importlib.util.spec_from_file_location("benchmark_runner", root / "tests/benchmarks/run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, line in SCRIPTS.items():
        (tmp_path / f"bench_{name}.py").write_text(f"from recording import record\n{line}\n")
    shutil.copy(root / "tests/benchmarks/recording.py", tmp_path)
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    return module


def run(module: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["run.py", *arguments])
    module.main()


def test_rows_become_a_table_and_a_failure_is_neither_lost_nor_the_end(
    runner: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    with pytest.raises(SystemExit) as stopped:
        run(runner, monkeypatch, "--out", str(out))
    assert stopped.value.code == 1
    results = {result["name"]: result for result in json.loads((out / "table.json").read_text())}
    assert {name: result["state"] for name, result in results.items()} == {
        "absent": "did not run",
        "broken": "failed",
        "good": "ran",
    }
    [row] = results["good"]["rows"]
    assert (row["value"], row["unit"], row["details"]) == (3.25, "x", {"threads": 2})
    assert results["good"]["machine"]["cores"] >= 1
    table = (out / "table.md").read_text()
    assert "| good | time against another | 3.25 x | at least 2.5 |" in table
    assert "| absent | did not run: no such folder |" in table
    assert "| broken | half | 1 s |" in table  # what it found before it broke
    assert "| broken | failed: RuntimeError: out of luck |" in table


def test_one_can_be_run_alone_and_the_others_rows_stay(
    runner: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    run(runner, monkeypatch, "good", "--out", str(out))
    run(runner, monkeypatch, "absent", "--out", str(out))
    assert [result["name"] for result in json.loads((out / "table.json").read_text())] == ["absent", "good"]
    with pytest.raises(SystemExit) as stopped:
        run(runner, monkeypatch, "speed", "--out", str(out))
    assert stopped.value.code == 2


def test_every_benchmark_records_what_it_prints(root: Path) -> None:
    scripts = list((root / "tests/benchmarks").glob("bench_*.py"))
    assert len(scripts) >= 5
    for script in scripts:
        assert "record(" in script.read_text(), f"{script.name} leaves nothing for the table of `make bench`"
