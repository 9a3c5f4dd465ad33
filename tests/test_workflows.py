"""The workflows are what GitHub accepts, and do nothing that cannot be done here with make."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright._impl._driver import compute_driver_executable

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKE = re.compile(r"make((?: [a-z-]+)+)((?: [A-Z]+=[\w.-]+)*)")
TAG = re.compile(r"[\w-]+/[\w-]+@v\d+(\.\d+)*")


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf8"))


def steps(workflow: Any) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def targets() -> set[str]:
    """Every target of the Makefile."""
    return set(re.findall(r"^([a-z][a-z-]*):(?!=)", (ROOT / "Makefile").read_text(), re.M))


def problems(*paths: Path) -> str:
    """What the schema of GitHub's workflows, which comes with the checker, has against these files."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    result = subprocess.run([*command, *map(str, paths)], capture_output=True, text=True)
    return "" if result.returncode == 0 else result.stdout + result.stderr


def test_the_three_workflows_are_there() -> None:
    assert [path.stem for path in FILES] == ["ci", "gpu", "weekly"]


def test_they_are_what_github_accepts() -> None:
    assert problems(*FILES) == ""


@pytest.mark.slow
def test_a_broken_one_is_refused(tmp_path: Path) -> None:
    broken = read(FILES[0])
    del broken["jobs"]["test"]["runs-on"]
    (tmp_path / "broken.yml").write_text(yaml.safe_dump(broken))
    assert "runs-on" in problems(tmp_path / "broken.yml")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_command_is_a_target_of_the_makefile(path: Path) -> None:
    commands = [step["run"] for step in steps(read(path)) if "run" in step]
    assert commands
    for command in commands:
        found = MAKE.fullmatch(command)
        assert found, f"{command!r} is not of the form: make target NAME=value"
        unknown = set(found[1].split()) - targets()
        assert not unknown, f"{command!r}: the Makefile has no {', '.join(unknown)}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_actions_are_pinned_and_jobs_end(path: Path) -> None:
    for step in steps(read(path)):
        assert "run" in step or TAG.fullmatch(step["uses"]), step
    for name, job in read(path)["jobs"].items():
        assert 0 < job["timeout-minutes"] <= 720, name
    assert read(path)["permissions"] == {"contents": "read"}, "a job that needs more says so itself"


def test_ci_tests_and_publishes_only_from_main() -> None:
    ci = read(ROOT / ".github" / "workflows" / "ci.yml")
    assert "make test" in [step.get("run") for step in ci["jobs"]["test"]["steps"]]
    assert ci["jobs"]["publish"]["needs"] == "test"
    assert "refs/heads/main" in ci["jobs"]["publish"]["if"]


def test_the_gpu_run_keeps_its_report_when_numbers_moved() -> None:
    job = read(ROOT / ".github" / "workflows" / "gpu.yml")["jobs"]["regress"]
    assert job["runs-on"] == ["self-hosted", "gpu"]
    _, run, *after = job["steps"]
    assert run["run"] == "make regress PROFILE=gpu"
    assert [step["if"] for step in after] == ["always()", "always()"]
    assert after[1]["with"]["path"] == "_build/regress/gpu"


def make(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *words], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_the_report_goes_into_the_summary_of_the_job(tmp_path: Path) -> None:
    folder = ROOT / "_build" / "regress" / "test-of-workflows"
    folder.mkdir(parents=True)
    try:
        (folder / "report.md").write_text("# Moved: nothing\n")
        summary = tmp_path / "summary.md"
        summary.write_text("# Before\n")
        path = "/usr/bin:/bin"
        done = make("summary", "PROFILE=test-of-workflows", PATH=path, GITHUB_STEP_SUMMARY=str(summary))
        assert done.returncode == 0, done.stderr
        assert summary.read_text() == "# Before\n# Moved: nothing\n"
        assert "# Moved: nothing" in make("summary", "PROFILE=test-of-workflows", PATH=path).stdout
    finally:
        (folder / "report.md").unlink()
        folder.rmdir()


GITHUB = """
const calls = [];
const context = {repo: {owner: 'o', repo: 'r'}, serverUrl: 'https://github.com', runId: 7};
const issues = {
  listForRepo: async () => ({data: OPEN}),
  create: async (given) => calls.push(['create', given]),
  createComment: async (given) => calls.push(['comment', given]),
};
const github = {rest: {issues}};
(async () => { SCRIPT })().then(() => console.log(JSON.stringify(calls)));
"""


@pytest.mark.parametrize(("open_issues", "expected"), [([], "create"), ([{"number": 12}], "comment")])
def test_a_failed_week_opens_one_issue(open_issues: list[Any], expected: str) -> None:
    """The script itself runs, in the Node that Playwright brings, against a GitHub that takes notes."""
    (step,) = read(ROOT / ".github" / "workflows" / "weekly.yml")["jobs"]["report"]["steps"]
    program = GITHUB.replace("OPEN", json.dumps(open_issues)).replace("SCRIPT", step["with"]["script"])
    needs = {"newest": {"result": "failure"}, "links": {"result": "success"}}
    node = str(compute_driver_executable()[0])
    done = subprocess.run(
        [node, "-e", program], env={"RESULTS": json.dumps(needs)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    ((kind, given),) = json.loads(done.stdout)
    assert kind == expected
    assert given["body"] == "Failed: newest. Log: https://github.com/o/r/actions/runs/7"
    assert given.get("issue_number") == (12 if open_issues else None)
