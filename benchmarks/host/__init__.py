"""`make bench ONLY=host`: what the host costs. The whole service over HTTP, on a device that takes no CPU.

The device is a stand-in of known speed (`workers/engine/device/stand_in.py`), and the model a linear one, whose answers
are known. So what keeps the device from being full is the host: gateway, job store, worker, and their load.
"""
