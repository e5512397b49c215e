"""The clients of other systems, unmodified, against the running service: `make test-clients`.

Each client lives in an environment of its own, which the tests make from `requirements/`.
"""
