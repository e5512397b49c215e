"""Upper bounds of requests, each checked before memory is allocated.

They protect against abuse and are not for tuning. The queue's depth and the body limit are settings of the gateway.
"""

MAX_TEXT_CHARS = 20_000
MAX_EXAMPLES = 64  # of one request
MAX_COMPARED_CELLS = 36  # jobs of one comparison
MAX_INPUT_TENSORS = 16
MAX_TENSOR_RANK = 8
MAX_TENSOR_ELEMENTS = 8_388_608
MAX_IMAGE_BYTES = 12 * 1024 * 1024  # the encoded file
MAX_IMAGE_PIXELS = 40_000_000  # the decoded picture
MIN_IMAGE_SIDE = 8  # pixels
MAX_ROWS_PER_JOB = 20_000  # model rows, forward or gradient
MAX_STEPS = 2_000  # integration steps
MAX_FRAMES = 32  # points of a path that a result shows
MAX_AUTO_STEPS = 256  # upper bound of `"n_steps": "auto"`
MAX_SAMPLES = 1_000  # noise or Monte Carlo samples
NOISE_ROUND = 8  # noisy copies that an adaptive method adds at a time
MAX_NOISE_BYTES = 256 * 1024 * 1024  # noisy copies of the input that one job holds at a time
MAX_FIT_BYTES = 256 * 1024 * 1024  # samples x features of a linear model that one job fits, with its copies
MAX_PATH_BYTES = 128 * 1024 * 1024  # gradients that one job holds while it refines a path
MAX_SEED = 2**32 - 1  # numpy's global generator accepts no larger one
TOLERANCE = 0.01  # default of `"n_steps": "auto"`
MIN_WATCHED = 50  # explanations of a monitor's reference or window: fewer say little of a distribution in ten parts
MAX_MONITOR_REFERENCE = 2_000  # explanations that a monitor's reference is made of
MAX_MONITOR_WINDOW = 10_000  # explanations of a monitor's window
MAX_REFERENCE_JOBS = 500  # jobs whose results a monitor's reference is made of
MAX_WATCHED_FEATURES = 128  # columns, cells, words or units that a monitor tells apart
