"""The life of a job in a worker: claimed, prepared, explained, described, stored; and checking a model repository.

This room uses the job store; the rooms below it do not.
"""
