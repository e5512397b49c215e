"""The life of a job in a worker: admitted, prepared, explained, described, reported.

Knows the job store; everything below it does not.
"""
