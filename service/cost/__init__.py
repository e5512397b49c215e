"""The model rows that a request will take, estimated before it is accepted. Pure."""
