"""Loaders: one for each format in which a folder of the model repository may hold a module.

No loader downloads anything, and no loader reads files outside the folder.
"""

from workers.models.loaders.load_module import load_module

__all__ = ["load_module"]
