"""The life of a model: loaded from its folder, probed, described by its card, and held in the pool.

`workers.models.pipeline.load_model` shows the steps in order.
"""
