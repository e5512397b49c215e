"""Changed copies of a model, made at load and proven equal to it before use: optimized, hookable and rule modules."""
