"""What loads keep for later loads."""
