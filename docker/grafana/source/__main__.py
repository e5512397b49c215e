"""Writes the dashboards into docker/grafana/dashboards."""

from pathlib import Path

from docker.grafana.source.dashboards import documents

FOLDER = Path(__file__).parents[1] / "dashboards"

if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        (FOLDER / name).write_text(text)
