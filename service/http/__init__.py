"""HTTP around the routes: request bodies, content negotiation, problem documents, limits and the access log."""
