"""Numbers of this room that are choices, each with its unit and its reason. Importing it loads nothing else."""

# Claiming
MAX_ATTEMPTS = 3  # workers that may die on a job before it fails
MAX_CLAIMED_JOBS = 8  # per claim, so that one worker does not hoard jobs that others could start
MAX_CLAIMED_COALESCED_JOBS = 64  # per claim, of jobs that coalesced runs end within milliseconds
INTERACTIVE_SHARE = 0.25  # of a model's running jobs: batch jobs leave it free, so that interactive ones start at once
ASSUMED_JOB_ROWS = 32  # of a job that is not claimed yet, and so has an unknown number of rows
CLAIM_BLOCK_MS = 1_000  # a claim waits so long for a job: it bounds how late the loop sees a dead thread or a stop
CLAIM_BLOCK_PARTIAL_MS = 50  # while a model takes no more jobs, or no more batch jobs: some may end before others come
COALESCE_WAIT_S = 0.01  # between two claims while coalesced jobs run: each claim costs a round trip to the store
ASSUMED_ROW_S = 0.002  # of a model that has computed none: what a small picture model takes on a few cores
ROW_PACE_ROWS = 1_024  # over which the past fades in the seconds of a row: a few full passes
FULL_WAIT_S = 0.5  # without capacity: it bounds how late the loop sees a dead thread or a stop
CLAIM_RETRY_S = 0.5  # between tries while the job store is away

# Sharing with other workers
SHARE_S = 1.0  # between two looks for workers that have nothing to do
LEAST_SHARED_S = 3.0  # of work that a model's jobs must have left: what ends sooner is not worth starting again
MOST_DONE_SHARE = 0.5  # of a job that is handed back: beyond it, more would be lost than is left
HOLD_OFF_S = 2.0  # for which a worker claims no job of the model, so that idle ones find what it has handed back

# Running
MAX_THREADS = 4_096  # the pool makes them as needed; the capacity of the models keeps far below
COALESCED_RUN_S = 0.02  # one Captum call of coalesced jobs: other jobs and cancellations wait so long
THREAD_SWITCH_S = 0.0005  # a thread whose rows are computed waits so long for one that runs Python; the default is 5 ms

# Stopping
DRAIN_STEP_S = 0.1  # between two looks at whether the operator wants running jobs handed back now
STOP_JOBS_S = 10.0  # that threads have to notice that their job was handed back: cancelled jobs end at their next pass
STOP_PROCESS_S = 10.0  # that engines and loads have to end, once no job is held

# Watching
MAX_WATCH_TICK_S = 1.0  # between two looks at running jobs
WATCH_TICKS = 10  # looks at least in the time after which a job has stalled
BUSY_STALLS = 5  # times that a job may compute outside passes: fits of many samples take minutes, endless loops longer
BUSY_SHARE = 0.01  # of a core that a thread uses at least when it computes, however many others want the cores
STALL_GRACE_S = 10.0  # that a job which was given up has to end: cancelled jobs end at their next pass

# Settling
STORE_RETRY_S = 0.5  # between tries to store the end of a job while the job store is away
STORE_FULL_TRIES = 10  # more, for a store that is out of memory: it frees the buffers of idle connections after 2 s

# Describing
TOP_PREDICTIONS = 5  # in a result, per example
MAX_REGRESSION_VALUES = 32  # in a result, per example; they come in the order of the outputs
MAX_NAMED_ELEMENTS = 32  # input elements that one warning lists

# Checking a model repository
LARGE_EXAMPLE_ELEMENTS = 1_024  # larger examples are occluded by coarse windows, to keep the check short
WINDOWS_PER_SIDE = 4  # of a coarse window
MASK_FEATURES = 3  # of the check's feature masks: some methods take time exponential in this number
MAX_ABLATED_UNITS = 256  # layers with more units are not ablated unit by unit
MAX_ERROR_CHARACTERS = 500  # of an error's message in the report
