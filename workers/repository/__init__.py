"""`model.toml`: how a folder of the model repository describes its model. Read here, and nowhere else."""
