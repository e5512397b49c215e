"""Options that were given on the command line."""

from typing import Any


def given(**options: Any) -> dict[str, Any]:
    """Those of the options that are not None, by name."""
    return {name: value for name, value in options.items() if value is not None}
