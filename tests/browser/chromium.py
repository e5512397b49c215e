"""The system's Chromium. Without it the browser tests fail; a skipped one would look like one that passed."""

import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
# The sandbox needs rights that a container's root lacks; the pages here are our own. No name but the loopback resolves,
# so that the browser itself calls nobody either.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


def chromium() -> Path:
    """The browser's executable.

    Raises:
        FileNotFoundError: the PATH has none. The message says how to install it.
    """
    for name in NAMES:
        if found := shutil.which(name):
            return Path(found)
    raise FileNotFoundError(
        f"The tests of the page need Chromium, and the PATH has none of {', '.join(NAMES)}. "
        "On Debian or Ubuntu, as root: apt-get update && apt-get install --no-install-recommends chromium"
    )
