"""Hard bounds on what a request may ask for. Each is checked before anything is allocated.

These are walls against abuse, not tuning knobs; the queue's depth and the body limit are settings of the gateway.
"""

MAX_TEXT_CHARS = 20_000
MAX_EXAMPLES = 64  # rows of one request's own batch
MAX_INPUT_TENSORS = 16
MAX_TENSOR_RANK = 8
MAX_TENSOR_ELEMENTS = 8_388_608
MAX_IMAGE_BYTES = 12 * 1024 * 1024  # the encoded file
MAX_IMAGE_PIXELS = 40_000_000  # the decoded picture
MIN_IMAGE_SIDE = 8  # pixels
MAX_ROWS_PER_JOB = 20_000  # model rows, forward or gradient
MAX_STEPS = 2_000  # integration steps
MAX_AUTO_STEPS = 256  # that `"n_steps": "auto"` may come to
MAX_SAMPLES = 1_000  # noise or Monte Carlo samples
NOISE_ROUND = 8  # noisy copies at a time, where their number is not fixed
MAX_NOISE_BYTES = 256 * 1024 * 1024  # noisy copies of the input that one job holds at once
MAX_PATH_BYTES = 128 * 1024 * 1024  # gradients that one job keeps while it refines a path
MAX_SEED = 2**32 - 1  # what numpy's global generator takes
TOLERANCE = 0.01  # of `"n_steps": "auto"`, where none is given
