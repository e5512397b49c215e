"""The model repository: its folders, and `model.toml`, which describes the model of a folder."""
