"""The retrieval playground in Chromium: how long the page takes to start, and how long a step of a control.

    python tests/benchmarks/bench_playground.py [--page _build/html/playground.html]

A step ends with the frame that shows it. Time of the page's own thread is measured, not that of the clock:
it is what the page costs, also where something else runs beside it.
"""

import argparse
import statistics
from pathlib import Path

from playwright.sync_api import CDPSession, Page
from recording import record

from book.builder import chromium

ROOT = Path(__file__).resolve().parents[2]
# The first sweep decodes, or whitens, at every exponent; later ones find that done.
SWEEPS = {
    "p, the first time": ("p", {}),
    "p, again": ("p", {}),
    "p with learned whitening, the first time": ("p", {"whitening": "Lw"}),
    "p with learned whitening and expansion": ("p", {"whitening": "Lw", "n": 50}),
    "dimensions": ("dimensions", {"whitening": "Lw"}),
}
STEP = """async ([name, i, others]) => {
  const playground = document.querySelector("gem-playground");
  playground.settings = { ...others, [name]: playground.data.choices[name][i] };
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}"""


def milliseconds(session: CDPSession) -> float:
    """What the page's thread has worked so far."""
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    return 1000 * metrics["TaskDuration"]


def sweep(page: Page, session: CDPSession, name: str, others: dict[str, object]) -> list[float]:
    """Milliseconds of each step from the first value of a control to its last."""
    count = page.evaluate(f"document.querySelector('gem-playground').data.choices.{name}.length")
    times = []
    for i in range(count):
        before = milliseconds(session)
        page.evaluate(STEP, [name, i, others])
        times.append(milliseconds(session) - before)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--page", type=Path, default=ROOT / "_build" / "html" / "playground.html")
    path = parser.parse_args().page
    if not path.is_file():
        parser.error(f"there is no {path}: run `make book` first")
    with chromium.launched() as browser:
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto(path.resolve().as_uri())
        page.evaluate(STEP, ["p", 0, {}])
        start = milliseconds(session)
        print(f"{'page, until the first step is shown':44s}{start:8.1f} ms")
        record("start of the page, the first step shown", start, "ms", goal="below 1000")
        for title, (name, others) in SWEEPS.items():
            times = sweep(page, session, name, others)
            middle = statistics.median(times)
            print(f"{title:44s}{middle:8.1f} ms, at most {max(times):.1f}")
            record(f"a step of {title}", middle, "ms", goal="below 32", most=max(times))


if __name__ == "__main__":
    main()
