"""Numbers of this room that are choices, each with its unit and its reason."""

MAX_NODE_ORDERS = 256  # numbers of quadrature nodes that are remembered: at most 8 MiB, with 2,000 nodes each
NUMPY_NODES = 256  # more quadrature nodes take numpy longer than a hundredth of a second
CANCELLED_POLL_S = 0.25  # a job that waits for memory sees so late that it is cancelled
FIT_CELL_BYTES = 16  # of a sample's feature: as a member, in float32, and in two copies of the linear model
KEY_BITS = 48  # features whose coalitions have a key each: an int64 with room for the example
COALITION_CELLS = 2**20  # members of coalitions, a byte each, that a job lists at once
MAX_ORDERED_FEATURES = 7  # features whose 5,040 orders are added up one by one, within ten milliseconds
