"""What runs the flows of `core`: blocking, or on an event loop."""
