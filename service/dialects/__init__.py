"""The protocols of other systems, one file each: their requests become ours, our results and problems theirs.

Validation, admission, limits, keys, cache, packing and metrics are those of `POST /explain`.
"""
