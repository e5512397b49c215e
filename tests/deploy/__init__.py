"""The Helm chart: rendered by Helm itself, validated by Kubernetes' and others' own schemas. No cluster is run."""
