"""Numbers of this room that are choices, each with its unit and its reason."""

MAX_NODE_ORDERS = 256  # numbers of quadrature nodes that are remembered: at most 8 MiB, with 2,000 nodes each
NUMPY_NODES = 256  # more quadrature nodes take numpy longer than a hundredth of a second
CANCELLED_POLL_S = 0.25  # a job that waits for memory sees so late that it is cancelled
