"""JupyterLab started for real: a chapter's live slider moves; picture and numbers follow from the kernel."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CHAPTER = "book/04_feature_maps.ipynb"
LAB_OPTIONS = (
    "--no-browser",
    "--allow-root",
    "--ip=127.0.0.1",
    "--IdentityProvider.token=",
    "--ServerApp.password=",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
)
SMALL_NOTEBOOK = """
import numpy as np
from gem_lite.seeds import stream
from gem_lite.widgets.p_slider import PSlider

maps = stream("test_lab").exponential(1.0, (4, 9, 12))
PSlider(maps, np.full((90, 120, 3), 128, np.uint8))
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_for_server(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"{address}/api/status", timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text(errors='replace')[-3000:]}")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Address of a JupyterLab of its own settings, and the folder that it shows."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    port = free_port()
    own = {
        name: str(tmp_path / name)
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    own["JUPYTERLAB_WORKSPACES_DIR"] = str(tmp_path / "workspaces")
    own["JUPYTERLAB_SETTINGS_DIR"] = str(tmp_path / "settings")
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        *LAB_OPTIONS,
        f"--port={port}",
        f"--ServerApp.root_dir={folder}",
    ]
    log = tmp_path / "lab.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **own}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for_server(address, process, log)
        yield address, folder
    finally:
        process.terminate()  # ends its kernels too
        process.wait(30)


def write_chapter(root: Path, target: Path) -> None:
    """The chapter, for the smallest world; while the book has none, a notebook of one cell."""
    if (root / CHAPTER).is_file():
        notebook = nbformat.read(root / CHAPTER, as_version=4)
        for cell in notebook.cells:
            if "parameters" in cell.metadata.get("tags", []):
                cell.source += '\nprofile = "tiny"'
    else:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SMALL_NOTEBOOK)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, target)


def run_all(page: Page) -> None:
    """Runs the notebook once its kernel is ready: before that, JupyterLab asks for a kernel and waits."""
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
    page.wait_for_selector("#jp-main-statusbar:has-text('| Idle')", timeout=60_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def live_slider(page: Page, timeout: float) -> Any:
    """The p-slider's output, or the error of the cell that kept it from coming."""
    page.wait_for_selector(".widget-hslider, [data-mime-type*=stderr] + * .jp-RenderedText", timeout=timeout)
    outputs = page.locator(".jp-OutputArea-output", has=page.locator(".widget-image")).filter(
        has=page.locator(".widget-hslider")
    )
    assert outputs.count(), (
        f"no live slider; the page says: {page.locator('.jp-OutputArea').all_inner_texts()}"
    )
    outputs.last.scroll_into_view_if_needed()
    outputs.last.locator(".widget-html", has_text="p = ").wait_for(timeout=30_000)
    return outputs.last


def picture_and_words(output: Any) -> tuple[str, str]:
    # Not inner_text: what the running notebook has scrolled off the screen has none.
    words = output.locator(".widget-html").text_content()
    return output.locator("img.widget-image").get_attribute("src"), words


def test_the_live_slider_follows(root: Path, lab: tuple[str, Path], visit: Callable[..., Any]) -> None:
    address, folder = lab
    write_chapter(root, folder / "chapter.ipynb")
    opened = visit(f"{address}/lab/tree/chapter.ipynb?reset")
    run_all(opened.page)
    output = live_slider(opened.page, timeout=120_000)
    picture, words = picture_and_words(output)
    p = exponent(words)
    assert p == exponent(slider_says(output))
    output.locator(".noUi-handle").focus()
    for _ in range(10):
        opened.page.keyboard.press("ArrowRight")
    wait_until(lambda: exponent(picture_and_words(output)[1]) == exponent(slider_says(output)) > p)
    wait_until(lambda: picture_and_words(output)[0] != picture)
    new_words = picture_and_words(output)[1]
    assert 1.2 * p < exponent(new_words) < 1.6 * p, "ten steps of at most 0.02 in log10 p"
    assert pooled_value(new_words) > pooled_value(words), "the generalised mean grows with p"
    assert not opened.foreign, f"JupyterLab asked for files elsewhere: {opened.foreign}"


def wait_until(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Waits for the kernel's answer; an error when it does not come."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"nothing came from the kernel for {seconds} s"
        time.sleep(0.2)


def slider_says(output: Any) -> str:
    return f"p = {output.locator('.widget-readout').first.text_content()}:"


def exponent(words: str) -> float:
    return float(words.partition("p = ")[2].split(":")[0])


def pooled_value(words: str) -> float:
    return float(words.partition("pooled value ")[2].split(",")[0])
