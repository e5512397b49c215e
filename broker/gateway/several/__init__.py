"""Several job stores behind the interface of one: each model is on one of them, and so are its jobs."""
