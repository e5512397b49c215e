"""The OpenAPI document: responses, request bodies and examples that routes declare."""
