"""Metrics for operators: what each is called, which labels it has, and where its numbers come from.

The gateway exposes them, workers and the job store count many of them, so all three read the definitions here.
docs/metrics.md is made of them.
"""
