"""Comparisons of several explanations of one input: their jobs, how far the attributions agree, and their sheet."""
