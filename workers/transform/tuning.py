"""Effort of the measurements and proofs that are made at load."""

LAYOUT_PASS_S = 0.05  # a pass this long shows the layouts' difference; a shorter one measures the launch of kernels
LAYOUT_LONG_PASS_S = 0.1  # a pass this long is repeated only once, which keeps loading short
LAYOUT_ROWS = 128  # the largest batch that is measured
LAYOUT_ROUNDS = 3  # measurements of each layout; the fastest counts
LAYOUT_GAIN = 1.03  # speedup that justifies another layout; smaller gains are within the noise of a measurement

FUSED_INPUT_DECADES = 2.0  # powers of ten by which a part's inputs are scaled up and down, to reach its bends

# Elements of an activation at once: the operands of all steps stay in the caches of two cores.
MULTIPLIER_BLOCK_ELEMENTS = 131_072
