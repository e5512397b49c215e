"""Observes modules as they run on samples: operations, equality of copies, mixing of rows, randomness and state."""
