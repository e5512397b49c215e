"""Metrics that tell how far an explanation can be trusted, computed by the same passes as the explanation."""
