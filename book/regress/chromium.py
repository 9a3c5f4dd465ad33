"""Draws SVG with Chromium, where there is one: the book needs it for its browser tests anyway."""

import shutil


def rasterise(drawings: list[str], width: int) -> list[bytes]:
    """PNG files of SVG texts, ``width`` pixels wide; an empty list without Chromium or Playwright."""
    if not drawings:
        return []
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        return []
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium") or shutil.which("chromium-browser"),
                args=["--no-sandbox"],
            )
            page = browser.new_page(viewport={"width": width, "height": 100})
            files = []
            for drawing in drawings:
                svg = drawing[drawing.find("<svg") :]
                page.set_content(
                    f"<style>*{{margin:0}} svg{{width:{width}px;height:auto;display:block}}</style>{svg}"
                )
                files.append(page.locator("svg").first.screenshot())
            browser.close()
            return files
    except Error:
        return []
