"""Answers of a service as JSON on standard output, for programs."""

import json
import sys
from dataclasses import asdict
from typing import Any


def print_json(document: Any) -> None:
    """Prints a dataclass of the client, or a list of them."""
    listed = [asdict(one) for one in document] if isinstance(document, list) else asdict(document)
    json.dump(listed, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
