"""From what a client sent to tensors in model space, and from attributions back to pixels, words and columns."""
