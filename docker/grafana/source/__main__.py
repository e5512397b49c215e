"""Writes the dashboards, and the Kubernetes objects that hold them and the alerts."""

from docker.grafana.source.files import files

if __name__ == "__main__":
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
