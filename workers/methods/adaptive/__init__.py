"""Methods that choose their number of steps or samples, until the result is good enough."""
