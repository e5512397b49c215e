"""Tuning constants of the gateway: limits that bound the work of one request, and thresholds that keep it fast.

Limits on what a request may contain are in `schemas.limits`.
"""

# Work up to these sizes runs on the event loop, because moving it to a thread takes longer than the work itself.
SMALL_JSON_BYTES = 65_536  # JSON parsed or written in a fraction of a millisecond
COPIED_BYTES = 4 * 1024 * 1024  # tensors sent as they are stored: copied in a fraction of a millisecond
SMALL_PICTURE_PIXELS = 256 * 256  # a picture decoded and scaled in one or two milliseconds

# Memory of pictures that are decoded or drawn.
BUDGET_WAIT_S = 60.0  # a picture of 40 million pixels takes about a second; most clients wait no longer
BUDGET_WAITERS = 64  # requests that wait for memory: as many as a second each lets finish within the wait
LONE_SHARE = 1.4375  # of the budget that one picture may take, while nothing else is decoded: 368 MiB by default
MAX_DECODED_BYTES = 320 * 1024 * 1024  # from which on a JPEG is decoded at a smaller size: a progressive one of 4:4:4
OVERTAKEN_S = 5.0  # how long smaller work may go ahead of the picture that waits first
BUDGET_RETRY_S = 5

# Drawn pictures that are kept.
RENDERED_BYTES = 32 * 1024 * 1024  # some hundred pictures of the default size; beside the memory for drawing
RENDERED_SHARE = 0.25  # of them that one picture may take: larger ones would drive out all others
RENDERED_S = 300  # pages show a picture again and again within minutes; clients that hold one get 304 anyway

# The size of a result to expect, for which the store keeps room.
RESULT_META_BYTES = 16_384  # of the method's parameters, the model, timing and warnings
RESULT_EXAMPLE_BYTES = 1_024  # of one example: its prediction, target and completeness
RESULT_NAME_BYTES = 256  # of one word or column with its value
CURVE_BYTES = 8_192  # of one metric's curve

# Comparisons.
COMPARED_CELL_BYTES = 4_096  # of one cell in the record of its comparison, with its part of the agreement
MAX_COMPARED_SIDE = 256  # elements; finer maps are averaged down to this before their ranks are compared
MAX_COMPARED_ELEMENTS = 131_072  # of all examples of one cell: 36 cells take some 120 MB, and a second to rank
MAX_SHEET_PIXELS = 24_000_000  # of all panels of one sheet: 72 MB, and about two seconds to draw

# Large results.
JSON_PART_BYTES = 65_536  # of tensors, written as JSON at a time: two or three milliseconds, some 200 kB of text

# Model cards.
CARD_CACHE_S = 0.25  # short against the two seconds between a worker's announcements of its cards
MAX_CACHED_CARDS = 64  # bounds the memory that requests for many versions can fill
MAX_LISTED_MODELS = 20  # models named in one message

# HTTP.
SCRAPE_TIMEOUT_S = 1  # of the store within one scrape: Prometheus gives up on a scrape after ten seconds
EVENTS_HEARTBEAT_S = 15  # proxies close silent streams after 30 to 60 seconds
NO_WORKER_RETRY_S = 5  # a worker takes about this long to start
FAILED_MODEL_RETRY_S = 30  # a model that failed to load needs its operator
LOADING_MODEL_RETRY_S = 2  # most models load in a few seconds
GZIP_LEVEL = 6  # 9 takes twice as long for one percent less
MAX_HEADER_RANGES = 32  # entries of one `Accept` header that are read
MAX_FORM_FILES = 4  # one input has one file; the rest leaves room for parameters sent as files
MAX_FORM_FIELDS = 40  # more than all parameters of one method
MAX_FORM_FIELD_BYTES = 4 * 1024 * 1024  # a part that is not a file, such as a baseline tensor

# Dialects: protocols of other systems.
DIALECT_WAIT_S = 55.0  # clients of KServe, Triton and MLServer give up after 60 s, as Vertex itself does
TORCHSERVE_WAIT_S = 115.0  # TorchServe gives its workers 120 s
MAX_DIALECT_JOBS = 64  # of one request: one for each example, where they make no batch
MAX_TOP_OUTPUTS = 5  # that are explained by rank: a result holds as many predictions
MAX_DIALECT_PICTURE_PIXELS = 512  # longer side of a drawing inside a JSON document
HELD_RESULTS = 4  # of one request that are read whole, some 1 MiB each; more are read part by part
JOINED_BYTES = 1024 * 1024  # of tensors that are sent as one text, some 6 MiB; more are streamed
INFLATED_PART_BYTES = 1024 * 1024  # of a compressed body, made at a time: some two milliseconds

# Checks of a document before it is validated. Pydantic collects every error at about a kilobyte each.
LONG_CONTAINER_LENGTH = 1_000  # from this length on a container can only hold a tensor's numbers or a row's features
MAX_JSON_CONTAINERS = 500_000  # arrays and objects: some 64 bytes each, and 0.2 s in which nobody else is served
MAX_DOCUMENT_VALUES = 50_000  # values outside such containers

# Messages about refused fields.
MAX_NAMED_ERRORS = 20  # fields named in one response
MAX_NAME_CHARS = 100  # characters of a client's own field name that are repeated
MAX_NAMED_FEATURES = 5  # missing features named in one message
MAX_COMPARED_CHARS = 60  # characters compared for a suggestion: difflib is quadratic in their number
MAX_COMPARED_FIELDS = 100  # unknown fields of one request that are compared with those missing: 0.1 ms each
MAX_LISTED_FIELDS = 16  # known field names in one message
SUGGESTION_CUTOFF = 0.6  # difflib's ratio below which a name is not suggested

# Pictures.
MAX_JPEG_SCANS = 64  # encoders write about ten; each scan makes the decoder pass over the whole picture again
MAX_PNG_TEXT_BYTES = 4 * 1024 * 1024  # decompressed comments of one file; profiles and EXIF have their own chunks
STRIP_PIXELS = 512 * 1024  # of a picture that is laid on white and scaled at a time: some 16 MiB with all copies
DRAWN_PIXELS = 128 * 1024  # of a drawing that are painted and mixed at a time: some 10 MiB with all copies
WEBP_BLOCK_PIXELS = 10_000_000  # decoded at a time: 40 MB; all that lies above is decoded again for each block
EXACT_CANVAS_BYTES = 32 * 1024 * 1024  # rows of a picture that are kept, needed or not, between the two scalings
MAX_MAP_SIDE = 1024  # elements; finer maps are averaged down to this before they are smoothed
MAX_DRAWING_PIXELS = 4096  # longer side of a drawing: 35 cm in print; the largest takes some 100 MB while it is drawn
MAX_PANEL_PIXELS = 2048  # longer side of each of three panels
MAX_ANIMATION_PIXELS = 512  # longer side of each of two panels, of which 33 are drawn in some seconds
MIN_ANIMATION_WIDTH = 320  # pixels, so that the curve and its legend are legible
LAST_FRAME_MS = 2_000  # for which an animation shows its end before it begins again
REGION_SMOOTHING = 0.015  # sigma over the longer side: hides the edges of regions, and keeps a shape of a tenth apart
THUMBNAIL_PIXELS = 128  # drawings that are narrower have no room for a caption
CAPTION_PIXELS = 240  # the width that a narrow drawing is given, up to its longer side, so that its caption is legible
MAX_TEXT_LINES = 120  # lines of a drawn text
MAX_SHEET_TEXT_PIXELS = 48  # letters of words, bars and curves: 120 lines, 4096 pixels wide, take 125 MB
MAX_LETTER_PIXELS = 128  # of the largest drawing, 1/32: the caption takes no more memory than the map
MAX_LINE_CHARS = 300  # characters of one line that are measured
MAX_DRAWN_FEATURES = 100  # bars of one picture

# Feature masks.
MAX_MASK_FEATURES = 4096  # features of one example

# Connections.
MAX_HEADERS = 100  # fields of one request: browsers send about 20; some look-ups in them take time quadratic in this
MAX_SMALL_CHUNKS = 1_000  # of one body; each costs some microseconds, during which nobody else is served
CHUNK_BYTES = 64  # of a body, for each of which it may have one chunk more; clients send kilobytes in each
MAX_PIPELINED = 8  # requests that one connection may send ahead of their responses; each is some kilobytes in memory
PARSED_BYTES = 16_384  # given to the parser at a time, so that a limit is seen soon after it is passed
DEFAULT_CONNECTIONS = 4_096  # open at once, if descriptors allow: some 20 KiB of memory each
PROBE_PLACES = 32  # connections beyond the caps, on which only health checks are answered
BACKLOG = 256  # connections that the system holds until they are accepted, all of which may be accepted in one turn
OTHER_DESCRIPTORS = 512  # 64 of the store, 32 of health checks, 256 accepted at once, and files, with room to spare
MOST_DESCRIPTORS = 65_536  # that a process asks for
UNSENT_BYTES = 131_072  # that the system holds for a connection before it sends them
LINGER_S = 1.0  # for which a refused connection stays open, so that its client can read why
MIN_SWEEP_S, MAX_SWEEP_S = 0.05, 1.0  # between two looks at the times of all connections
