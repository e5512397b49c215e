"""Tries a model repository out: loads every folder and runs every offered method once."""
