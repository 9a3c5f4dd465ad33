"""Runs the benchmarks of this folder one after the other and writes what they found as a table.

    python tests/benchmarks/run.py [NAME ...] [--out _build/bench]

Each runs in an interpreter of its own. Rows are kept for each benchmark in NAME.json; `table.md` and
`table.json` put together what is there, also from earlier runs. Run it on a machine that does nothing else.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import torch

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
MACHINE = ("processor", "cores", "gpu", "python", "torch")


def known() -> dict[str, Path]:
    """Benchmarks by name, without ``bench_``."""
    return {path.stem.removeprefix("bench_"): path for path in sorted(FOLDER.glob("bench_*.py"))}


def machine() -> dict[str, object]:
    """What the numbers depend on beside the code; the load says whether the machine was quiet."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = (line.partition(":") for line in cpuinfo.read_text().splitlines())
        model = next((value.strip() for key, _, value in lines if key.strip() == "model name"), model)
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    found = (model, os.cpu_count(), gpu, platform.python_version(), torch.__version__)
    return dict(zip(MACHINE, found, strict=True)) | {"load before": load}


def run(name: str, script: Path, out: Path) -> dict[str, object]:
    """Runs one benchmark and keeps its rows, its time and how it ended."""
    rows = out / f"{name}.rows"
    rows.unlink(missing_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "GEM_LITE_BENCH_ROWS": str(rows)}
    before, started = machine(), time.perf_counter()
    print(f"== {name}", flush=True)
    command = [sys.executable, str(script)]
    ended = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True)
    sys.stderr.write(ended.stderr)
    found = rows.read_text(encoding="utf8").splitlines() if rows.exists() else []
    said = [line for line in ended.stderr.splitlines() if line.strip()] or [""]
    result: dict[str, object] = {
        "name": name,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - started, 1),
        "machine": before,
        # 2 is argparse's: something that the benchmark needs is not there.
        "state": {0: "ran", 2: "did not run"}.get(ended.returncode, "failed"),
        "why": said[-1] if ended.returncode else "",
        "rows": [json.loads(row) for row in found],
    }
    rows.unlink(missing_ok=True)
    (out / f"{name}.json").write_text(json.dumps(result, indent=1), encoding="utf8")
    return result


def markdown(results: list[dict]) -> str:
    """The table, one row for each number."""
    lines = ["| benchmark | measured | value | goal | when, load |", "| :-- | :-- | --: | :-- | :-- |"]
    for result in results:
        load = result["machine"]["load before"]
        when = f"{result['when'][:10]}, {load:.1f}" if load is not None else result["when"][:10]
        for row in result["rows"]:
            value = f"{row['value']:.3g} {row['unit']}".strip()
            lines.append(f"| {result['name']} | {row['what']} | {value} | {row['goal']} | {when} |")
        if result["state"] != "ran":
            lines.append(f"| {result['name']} | {result['state']}: {result['why']} | | | {when} |")
    machines = {tuple(result["machine"][key] for key in MACHINE) for result in results}
    told = [", ".join(map("{}: {}".format, MACHINE, values)) for values in sorted(machines, key=str)]
    return "\n".join([*lines, "", *(f"Machine: {text}." for text in told), ""])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"by default all: {', '.join(known())}")
    parser.add_argument("--out", type=Path, default=ROOT / "_build" / "bench")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(known())
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(known())}")
    chosen.out.mkdir(parents=True, exist_ok=True)
    ran = [run(name, known()[name], chosen.out) for name in chosen.names or known()]
    files = [chosen.out / f"{name}.json" for name in known()]
    results = [json.loads(file.read_text(encoding="utf8")) for file in files if file.is_file()]
    (chosen.out / "table.json").write_text(json.dumps(results, indent=1), encoding="utf8")
    (chosen.out / "table.md").write_text(markdown(results), encoding="utf8")
    print(markdown(results))
    print(f"written to {chosen.out}")
    if any(result["state"] == "failed" for result in ran):
        sys.exit(1)


if __name__ == "__main__":
    main()
