"""A small HTTP client of the service, and its output in the terminal."""
