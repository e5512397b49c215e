"""Converts what a client sent to tensors, and attributions back to pixels, words and columns."""
