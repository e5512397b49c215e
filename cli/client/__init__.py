"""A small client of the service, for the terminal."""
