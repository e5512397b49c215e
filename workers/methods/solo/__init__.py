"""Methods of the solo lane: Captum on the model itself, with hooks on its modules."""
