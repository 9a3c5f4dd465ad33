"""For the tests of widgets: their JavaScript run by node, and a page that holds nothing but elements."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gem_lite.widgets.element import script_source

# JSON has no ∞: it travels as a word.
PRINT = """const written = JSON.stringify({expression}, (_, v) => v === Infinity ? "inf" : v);
require("fs").writeSync(1, written);"""


def run_node(script: str, expression: str) -> Any:
    """Value of a JavaScript expression in the scope of the element of that name."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here; tests/browser compares the same numbers in Chromium")
    code = f"{script_source(script)}\n{PRINT.format(expression=expression)}"
    run = subprocess.run([node, "-"], input=code, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def write_page(path: Path, *elements: str) -> str:
    """Address (file://) of a page with these elements, one below the other."""
    path.write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Widgets</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"></head><body>{"".join(elements)}</body></html>',
        encoding="utf8",
    )
    return path.as_uri()


def element_data(html: str) -> dict[str, Any]:
    """The data that an element's HTML holds."""
    found = re.search(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found.group(1))
    return data
