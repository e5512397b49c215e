"""The OpenAPI document: descriptions, examples, and the bodies that FastAPI cannot derive."""
