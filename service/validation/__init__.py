"""What is refused before a job is queued: a request's form, then its fit with the model's card. Pure."""
