"""The pass engine: one thread owns one model and runs the rows of all its jobs in full batches."""
