"""A stored result as a client wants it: JSON, arrays, or a picture."""
