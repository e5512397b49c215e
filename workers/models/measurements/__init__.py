"""What one load measured and proved, kept in a file for the next load of the same model on the same device.

A file is reused only under a key of everything that its content depends on, and each reused proof is checked on one
random input. Where a check fails, the load measures and proves everything anew.
"""
