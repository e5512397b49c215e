"""A stored result as HTTP responses: JSON, arrays, or a picture."""
