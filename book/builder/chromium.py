"""The system's Chromium, cut off from the network: it prints the book, and tests look at pages in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from .errors import BuildError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # Every name but this machine's is unknown to the browser: it behaves as without a network.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def executable() -> str:
    """Path of the browser; ``$CHROMIUM`` names another one.

    Raises:
        BuildError: when there is none, with what to do.
    """
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        raise BuildError(
            "no Chromium on this machine: install the package `chromium`, or name a browser in $CHROMIUM"
        )
    return path


@contextmanager
def launched() -> Iterator[Browser]:
    """A running browser without a window.

    Raises:
        BuildError: when there is none.
    """
    path = executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()
