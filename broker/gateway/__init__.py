"""The gateway's side of the job store, for one event loop."""
