"""The engine: one thread owns one model, packs the rows of all its jobs into full passes, and runs them.

`engine.py` has the loop: next, run, settle. `shared/` and `solo/` are its two lanes; `device/` and `randomness/` guard
what the engines of a process share.
"""
