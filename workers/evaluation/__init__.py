"""Metrics of how far an explanation can be trusted, computed by the same engine as the explanation.

`evaluate` computes the metrics of a job. Each metric has a module; what it needs is declared in
`schemas.metric_requests`.
"""
