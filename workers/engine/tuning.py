"""The engine's tuning constants."""

# --- which work is next -----------------------------------------------------------------------------------------------

# A lane that could run is passed over at most so many times for fuller work. With two, a short job waits for two passes
# behind any load; with fewer, part-filled passes of rare shapes cost full ones of the common shape.
PATIENCE_PASSES = 2

# One row in so many of each pass goes to batch priority while interactive rows wait too. An eighth lets batch jobs
# advance at a cost that interactive jobs do not notice.
BATCH_PRIORITY_SHARE = 8

# So many consecutive passes must fail as a whole, while each of their rows succeeds by itself, before the engine runs
# the model on single rows from then on. One such pass may be chance.
FAILED_PASSES_BEFORE_SINGLE_ROWS = 3

# --- when the next pass is launched, on a device that computes while the host goes on ---------------------------------

# A part-filled pass is packed so long before the device is free: a fixed time, in which threads wake up, and twice
# what launches have taken lately. Later, the device idles; earlier, rows that come meanwhile miss the pass.
LAUNCH_LEAD_S = 0.001
LAUNCH_LEAD_TIMES = 2.0

# A free device is given one row in so many of a full pass, though more may come. Fewer rows do not pay for the launch,
# for which the host needs about as long as the device for a fifth of a full pass.
FREE_DEVICE_SHARE = 2

# Launches over which their time is averaged.
LAUNCH_MEMORY = 16

# --- how many rows fill a pass ----------------------------------------------------------------------------------------

# Fewer rows never pay, and timings tell them from more rows only on a quiet machine.
FIRST_BATCH_ROWS = 8

# More rows gain nothing while passes stay short.
MAX_BATCH_ROWS = {"cpu": 4_096, "cuda": 1_024}

# A doubled batch must compute rows so many times as fast, or its wait and its memory are not worth it.
MIN_SPEEDUP = 1.03

# A batch that misses that by less is timed once more: a part of its memory may have been new again.
CLOSE_SHARE = 0.85

# A pass may take so long: a one-row job that arrives meanwhile waits for its end.
MAX_PASS_S = 0.5

# A doubled batch takes so many times as long at least, where it is worth trying: 1.6 times is a quarter faster by row.
LEAST_GROWTH = 1.6

# The first pass of a size may take so many times as long as the next: its memory comes from the operating system.
COLD_PASS_TIMES = 2.0

# A pass shorter than a quarter of `MAX_PASS_S` is timed so often, and the shortest time counts.
TIMED_PASSES = 3

# A pass without gradients holds so many rows for each of a tuned batch: it takes half of the time of one with them.
FORWARD_ROWS = 2

# Tuned passes, with all resident models, take at most this share of the device's memory, in all of its processes.
MAX_MEMORY_SHARE = 0.6

# Timed texts have so many tokens: the batch then suits short and long ones.
TIMED_TEXT_TOKENS = 128

# Padded texts have so many tokens at least; longer ones are padded to the next doubling. Few lengths mean few lanes,
# and texts of one lane share passes.
MIN_PADDED_TOKENS = 16

# --- memory and logs --------------------------------------------------------------------------------------------------

# Enough for thousands of inputs with a thousand classes each, and small compared with any model.
OUTPUT_CACHE_BYTES = 16 * 1024 * 1024

# Freed memory goes back to the operating system after so long without a pass. Passes after that fault it in again, each
# shape of them, which cost a mix of jobs a tenth of its first half minute.
IDLE_MEMORY_S = 120.0

# A logged stack keeps so many frames from each end: endless recursion has a thousand.
MAX_LOGGED_FRAMES = 30
