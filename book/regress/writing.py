"""The report as HTML, as Markdown and as JUnit."""

import base64
from pathlib import Path
from xml.etree import ElementTree

import jinja2

from .compare import FREE, MISSING, MOVED, NEW, NOISE, SAME, Row
from .strip import strip
from .summary import Summary
from .values import shown

TEMPLATES = Path(__file__).parent / "templates"
MOST_ROWS = 40  # of a Markdown table: a job summary is read on a phone, too


def write_reports(summary: Summary, folder: Path) -> Path:
    """``report.html``, ``report.md`` and ``junit.xml``; the path of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    html = folder / "report.html"
    html.write_text(as_html(summary), encoding="utf8")
    (folder / "report.md").write_text(as_markdown(summary), encoding="utf8")
    as_junit(summary).write(folder / "junit.xml", encoding="utf-8", xml_declaration=True)
    return html


def as_html(summary: Summary) -> str:
    """The whole report in one file, pictures included."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "shown": shown,
        "strip": strip,
        "size": size,
        "picture": _picture,
        "words": words,
        "short": short,
    }
    names = {"MOVED": MOVED, "NOISE": NOISE, "SAME": SAME, "NEW": NEW, "MISSING": MISSING, "FREE": FREE}
    return environment.get_template("report.html.j2").render(summary=summary, **names)


def size(row: Row) -> str:
    """A move in tolerances, short."""
    return (
        f"{row.size:.1f} ×" if row.size < 1000 else f"{row.size:.0e} ×".replace("e+0", "e").replace("e+", "e")
    )


def short(length: float) -> str:
    """A tolerance or a spread: two digits say all there is to say."""
    return f"{length:.2g}"


def words(name: str) -> str:
    """The name of a result, so that it may break after its underscores."""
    return name.replace("_", "_\u200b")


def _picture(data: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(data).decode()}"


def as_markdown(summary: Summary) -> str:
    """The report for a terminal or a job summary: what moved first."""
    counts = summary.counts
    lines = [
        f"# Regression run, profile {summary.expected.profile}: {summary.verdict}",
        "",
        ", ".join(f"{counts[s]} {s}" for s in (MOVED, NOISE, SAME, NEW, MISSING, FREE) if counts[s]),
        "",
        f"{summary.made} · {summary.device}",
    ]
    for status in (MOVED, MISSING, NEW, NOISE):
        lines += _table(status, summary.having(status))
    changed = [pair for pair in summary.figures if pair.similarity != 1.0]
    if changed:
        lines += [
            "",
            "## Figures that differ",
            "",
            "| chapter | figure | similarity |",
            "| :-- | :-- | --: |",
        ]
        lines += [
            f"| {p.chapter} | {p.name} | {p.note if p.similarity is None else f'{p.similarity:.3f}'} |"
            for p in changed
        ]
    if summary.environment:
        lines += ["", "## Environment", "", "| | accepted | now |", "| :-- | :-- | :-- |"]
        lines += [f"| {name} | {old} | {now} |" for name, old, now in summary.environment]
    return "\n".join(lines) + "\n"


def _table(status: str, rows: list[Row]) -> list[str]:
    if not rows:
        return []
    lines = ["", f"## {status.capitalize()}: {len(rows)}", ""]
    lines += ["| chapter | result | expected | now | tolerances | tolerance |"]
    lines += ["| :-- | :-- | --: | --: | --: | :-- |"]
    for row in rows[:MOST_ROWS]:
        old = row.expectation
        cells = [row.chapter, f"`{row.name}`", shown(old.value if old else None, row.unit)]
        cells += [shown(row.now, row.unit), size(row) if row.size else "", old.why if old else ""]
        lines.append(f"| {' | '.join(cells)} |")
    if len(rows) > MOST_ROWS:
        lines += ["", f"… and {len(rows) - MOST_ROWS} more in report.html"]
    return lines


def as_junit(summary: Summary) -> "ElementTree.ElementTree[ElementTree.Element]":
    """A test case per result: failed where it moved, skipped where there was nothing to compare."""
    suite = ElementTree.Element("testsuite", name=f"regress-{summary.expected.profile}")
    counts = summary.counts
    suite.set("tests", str(len(summary.rows)))
    suite.set("failures", str(counts[MOVED]))
    suite.set("skipped", str(counts[NEW] + counts[MISSING]))
    for row in summary.rows:
        case = ElementTree.SubElement(suite, "testcase", classname=row.chapter, name=row.name)
        old = row.expectation
        if row.status == MOVED and old:
            text = f"{shown(old.value, row.unit)} -> {shown(row.now, row.unit)}, {size(row)} ({old.why})"
            ElementTree.SubElement(case, "failure", message=text)
        elif row.status in (NEW, MISSING):
            ElementTree.SubElement(case, "skipped", message=row.status)
    return ElementTree.ElementTree(suite)
