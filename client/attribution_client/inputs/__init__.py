"""From what a caller has (paths, pictures, arrays, rows, texts) to the `input` of a request."""
