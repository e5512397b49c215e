"""The life of a model: loaded from its folder, probed, described by its card, held in the pool."""
