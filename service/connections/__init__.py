"""Connections of the gateway: how many there may be, how much each may send, and how long each may take."""
