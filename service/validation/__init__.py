"""Checks before a job is queued: the request's document, then its fit with the model's card. Pure."""
