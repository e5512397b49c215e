"""Sizes of the tests at load. Tolerances are in the modules of the proofs that use them."""

RANDOM_ROWS = 7  # rows of one draw: enough for batches of 2, 3 and 7
ATTEMPTS_PER_ROW = 4  # a model may refuse some values, so that several attempts are needed to get a row
VALUE_SCALES = (1.0, 0.3, 3.0)  # standard deviations of the draws; thresholds inside a model lie at different scales
TEXT_TOKENS = 6  # tokens of a random text: enough for padding, attention and several positions

LARGE_ROW_ELEMENTS = 4_096  # from this size on, a pass in float64 takes seconds
LARGE_ROWS_AFTER_FIRST_DRAW = 3  # rows of later draws of large rows, because each pass is expensive

SMALLER_SIDES = (64, 96, 128)  # pixels to which pictures are cut for proofs; five halvings of 64 leave two places
SMALLER_GAIN = 2  # a row must have so many times the elements of the cut one

NEIGHBOURS = 5  # random neighbours of a sample
NEIGHBOURS_IN_PAIRS = 2  # of these, tested in a batch of two as well

FLOAT64_COPY_BYTES = 2 << 30  # the largest float64 copy of a model's weights that is made
LAYER_OUTPUT_BYTES = 1 << 30  # of the layer outputs held at once; layers that run later are not tested
LAYER_ROWS = 3  # rows of the batch that a layer's single output is compared with

INDEX_SEARCH_ELEMENTS = 256  # elements of a row; each suspect element takes a pass, so larger inputs are not searched
INDEX_SEARCH_ROWS = 3  # with fewer rows, a zero gradient is too often a coincidence

SEEDS = range(1, 4)  # under which a forward is compared with itself
STATE_REPEATS = 2  # of the same row under the same seed, with another row in between
