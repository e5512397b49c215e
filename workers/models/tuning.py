"""Tuning constants of this package. Facts of a file format or of mathematics stay where they apply."""

# Card

# A generated network may have tens of thousands of modules; a card is sent as one JSON document.
MAX_CARD_LAYERS = 2_000
# A model.toml may hold many mistakes, and all of them are reported.
MAX_FAILURE_CHARACTERS = 4_000
# An exception of Captum may quote a whole tensor.
MAX_SUPPORT_REASON_CHARACTERS = 300
# Of a full pass, where the model cannot be timed.
UNTUNED_BATCH_ROWS = 16
# Groups of a convolution. Grouped convolutions as in ResNeXt have 32 or 64 larger ones; depthwise ones have hundreds.
MANY_GROUPS = 32

# Probes

# Sets of random rows that the tests of packing run on. One set may miss a dependency that only some inputs show.
EXECUTION_DRAWS = 3
# Standard deviations of the inputs that the output kind is found on. Wide inputs show that outputs are bounded by
# construction and not by chance.
OUTPUT_KIND_SCALES = (1.0, 0.1, 1.0, 3.0, 10.0, 1.0, 3.0, 30.0)
# Draws with a finite output that are needed for a conclusion about the output kind.
MIN_OUTPUT_KIND_DRAWS = 5
# Absolute error of a sum of probabilities in float32.
PROBABILITY_SUM_TOLERANCE = 1e-5
# Of the largest output: in float32, a longer batch is summed in another order.
TEXT_ENTRY_TOLERANCE = 1e-4

# Loaders

# Tokens of a text, where the model allows more and the description gives no number: attention costs grow with the
# square of the length.
DEFAULT_MAX_TOKENS = 512
# Of the largest value in model space: float32 arithmetic in another order.
IMAGE_PROCESSOR_TOLERANCE = 1e-5

# Measurements that are kept

# A card lists each layer of a model, in a few hundred bytes; no file of a load is larger.
MAX_MEASURED_BYTES = 8 * 1024 * 1024
# Of a directory. A change of a model, of the code or of a setting makes a new file, and the oldest ones go.
MAX_MEASURED_FILES = 256
# A file is written in milliseconds. What is still unfinished after so many seconds has lost its writer.
MEASURED_WRITE_S = 3_600.0
# Random rows that a kept proof of packing is checked on: a batch of three, and each row alone.
CHECKED_ROWS = 3

# Pool

# A model stays in memory for this many times its loading time. With 4, swapping takes a fifth of the time at most.
MIN_STAY_LOAD_TIMES = 4.0
# How long shutdown waits for a load in progress.
STOP_LOADING_S = 5.0
