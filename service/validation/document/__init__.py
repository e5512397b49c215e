"""A request as a document: parsed within limits, and refused in the client's own words."""
