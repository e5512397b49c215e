"""Where the repository's own files are, whatever depth a test lies at."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
MODELS = ROOT / "models"
