"""A request as a document: parsed within limits, and refused with messages that name the client's own fields."""
