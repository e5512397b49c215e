"""Which tests pytest-xdist runs in one process: those of a file, or those of a folder that share one service."""

from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

# The start of their service costs more than most of their tests.
FOLDERS = ("tests/browser/", "tests/e2e/shipped/", "tests/e2e/toys/")


def group_of(nodeid: str) -> str:
    """The file of a test, or the folder with which it shares a service."""
    return next((folder for folder in FOLDERS if nodeid.startswith(folder)), nodeid.split("::", 1)[0])


class ByService(LoadFileScheduling):  # type: ignore[misc]  # it has no types
    """Takes the place of `--dist loadfile`."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def place(nodeid: str, slow: bool) -> tuple[int, bool, bool]:
    """A key for sorting: what takes longest starts first, so that no process runs it while the others are done."""
    group = group_of(nodeid)
    shared = FOLDERS.index(group) if group in FOLDERS else len(FOLDERS)
    return shared, not slow, not nodeid.startswith("tests/e2e/")
