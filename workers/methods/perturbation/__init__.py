"""Features of the input that are there or not: rows from index tensors, their outputs, and sums of these.

Nothing visits elements one by one in Python, and the rows of a whole request go to the engine in full passes.
"""
