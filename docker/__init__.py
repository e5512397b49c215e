"""What the containers are made of: entry scripts, and the provisioning of Prometheus and Grafana."""
