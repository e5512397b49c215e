"""Paths of the repository's own files, for tests at any depth."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
MODELS = ROOT / "models"
