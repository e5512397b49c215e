"""Numbers of the broker that are choices, each with its unit and reason. Lua scripts use them by these names too."""

# Connections
RETRY_AFTER_S = 2  # sent to clients while the store is away: about the time that a restart takes
MAX_LOGGED_ERROR = 200  # characters of an error of Redis in the log: its text names commands and keys, never values
READ_BYTES = 1 << 20  # per read of a socket: a result of some hundred kilobytes comes in a few turns of the event loop
MAX_CONNECTIONS = 64  # of one gateway process; further calls wait for a connection within their timeout
SENTINEL_TRIES = 4  # sentinels that are asked within the time limit of one call, since some may be gone
STOP_POLL_S = 0.25  # a listening thread sees so late that it must stop
FIRST_PAUSE_S = 0.05  # before a worker renews a lost subscription; doubled with each failure
MAX_PAUSE_S = 2.0  # between two tries of a worker, which learns of cancellations from its leases meanwhile
FIRST_GATEWAY_PAUSE_S = 0.02  # before a gateway, whose clients wait, renews a lost subscription; doubled likewise
MAX_GATEWAY_PAUSE_S = 0.5  # between two tries of a gateway

# Reading results
FIRST_PART_BYTES = 1 << 20  # read with the meta of a result: all of most results, in one round trip
PART_BYTES = 1 << 18  # of a larger one: what a slow client makes the gateway hold, and must read within its time

# Submitting
REUSE_TTL_S = 24 * 3600  # for which the idempotency key and the content's digest of a job are remembered until it ends
DRAIN_SHARE = 10  # a refused client is told to wait until one part in so many of a full queue has drained
UNKNOWN_WAIT_S = 5  # that a refused client is told to wait while no job of the model has ended
MIN_WAIT_S = 1  # that a refused client is told to wait
MAX_WAIT_S = 60  # that a refused client is told to wait: the estimate is rough, and workers may be added
MINUTE_MS = 60_000  # in which an API key may have its rows a minute
PACE_MEMORY = 0.9  # weight of the past in the moving average of the time between two ends of jobs
PACE_TTL_S = 7 * 24 * 3600  # for which the pace of a model without jobs is remembered: as long as its card
PACE_WINDOW_MS = 60_000  # of busy time, over which the past of the pace in rows fades: some hundred passes on a CPU
MIN_PACE_MS = 1_000  # of busy time before the pace in rows is believed
UNKNOWN_ROWS_PER_S = 500  # until then: what a small picture model does on a few cores

# Bounds of the queue and of the store
QUEUE_SECONDS = 1_800  # of work at the measured pace that the jobs of one model may hold, waiting and running
QUEUE_BYTES = 256 << 20  # of inputs that all jobs may hold, waiting and running
ALL_MODELS_FACTOR = 4  # the work of all models together, in parts of that of one: some share a device
MODEL_BYTES_SHARE = 0.8  # of the queue's bytes that one model may hold, so that another finds room
BATCH_SHARE = 0.7  # of each bound that batch jobs may fill: the rest is for interactive ones
RECORD_BYTES = 4_096  # of the store that a job takes besides its input and result: record, indexes, overhead
RESULT_BYTES = 65_536  # of a result whose size nobody has estimated
STORE_SHARE = 0.8  # of the server's memory that jobs may hold: the rest is for its overhead, its buffers and replies
BUDGET_CHECK_S = 10.0  # after which the server's memory limit is read again

# Claiming
MAX_BLOCK_S = 0.5  # between two looks at lapsed leases while nothing is submitted
BATCH_FIRST_EVERY = 8  # one claim in so many looks at the batch stream first, so that batch jobs never starve
SORTED_AT_ONCE = 1_000  # new jobs that a claim gives to their owners: a full queue in one or two claims
MAX_ENTRIES_A_MS = 1_024  # of a stream, that are told apart by age; with milliseconds since 1970 exact in a double
MAX_TURN_ROWS = 1_000_000_000  # that one job moves its owner back: a damaged number must not spoil the order
TURNS_TTL_S = 24 * 3600  # for which the turns of owners are remembered while no job of the model starts
IDLE_TTL_MS = 1_500  # for which a worker counts as one that looks for jobs: it looks again every `MAX_BLOCK_S`
CLAIM_SLACK_MS = 50  # by which another worker must end a job sooner to get it: passes stay full of what comes together
TELL_S = 0.5  # between two times that a worker without capacity tells what it has to compute
NOMINAL_ROWS = 50  # of a job whose end at several workers is compared, before it is known which job it is
SPARE_LAPSED_ENTRIES = 64  # lapsed entries that a claim reads beyond its capacity, since some may have to wait
RELEASED_IDLE_MS = 24 * 3600 * 1000  # idle time given to a released job, longer than any lease: it is claimed first
MIN_PAUSE_MS = 1_000  # of the store, that extends leases; workers claim or renew more often than that
ANSWERS_TTL_S = 24 * 3600  # for which the last answer of the store is remembered while no worker calls
MAX_INHERITED = 1_000  # running jobs of one model that are looked at for those of a dead worker
SCRIPT_VALUE_BYTES = 65_536  # larger inputs and tensors bypass the scripts, which copy them while all others wait
TENSORS_TTL_S = 60  # of large tensors that are stored before the script that takes them: for the loss of their worker

# Reporting and ending
MAX_COUNTER_DIGITS = 15  # of a counter in a job's record: Lua's numbers hold no more exactly
WORKER_TTL_MS = 10_000  # of a worker's registration: five heartbeats
CARD_TTL_MS = 7 * 24 * 3_600_000  # of the card of a model that took jobs: requests are checked while it sleeps
OTHER_CARD_TTL_MS = 60_000  # of one that took none: it loads, has failed, or is unloaded, at a worker
LEFT_GROUP_MS = 60_000  # after which a group that goes on without a model no longer holds it: workers restart
MAX_MESSAGE_TENSORS_BYTES = 16_384  # of tensors in the message of a job's end: many may be queued for a slow gateway
MAX_FAILED_AT_ONCE = 100  # jobs of an unloaded model that one script fails, so that none takes long
MAX_TRIMMED = 64  # expired jobs that one script removes from the indexes
MEASURED_TTL_S = 24 * 3600  # for which the counters of a model that has no jobs are kept; then they begin anew

# Listing
MAX_PAGE_JOBS = 200  # of one page
MAX_SCANNED_JOBS = 200  # records that one page looks at: each filter has an index, so all but expired ones match

# Several stores
MAX_STORES = 16  # of one gateway, besides the default one: each has connections and a subscription of its own
MAX_STORES_FILE_BYTES = 1 << 20  # far more than so many stores take
LISTING_TIMEOUT_S = 0.8  # in which a store answers a read of all stores, or counts as away: a scrape waits one second

# Monitors of attribution drift
MAX_MONITORS = 32  # in all: each takes up to 2.5 MiB while its reference is collected, and 0.4 MiB then
MAX_KEY_MONITORS = 8  # of one API key
MONITOR_TTL_S = 7 * 24 * 3600  # for which a monitor is kept that counts no explanation, with the words that it holds
REFERENCE_LOCK_S = 60  # in which a worker reads the jobs of a reference; then another tries
MAX_PART_WORDS = 64  # new words that one part of a window counts, by the space-saving algorithm

# Admin commands
MAX_COMMANDS = 1_000  # that are kept; a worker that misses some still reads which models are unloaded
COMMANDS_TTL_S = 24 * 3600  # a worker that starts later reads its folders anyway
