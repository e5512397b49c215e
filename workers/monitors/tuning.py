"""Numbers of this room that are choices, each with its unit and its reason."""

STEP_S = 2.0  # between two looks at which monitors there are, and between two reports of what was explained
MAX_PENDING = 2_000  # explanations of one monitor that wait for the next report: two seconds of the fastest models
GRID = 7  # rows and columns of a map's cells: those of the last layer of common picture models
BLOCKS = 64  # in which the elements of other large inputs are averaged, in their order
BINS = 10  # of a distribution: tenths of the reference, as is usual for the population stability index
BIN_TOLERANCE = 1e-6  # of the largest mean: what is smaller is no difference, such as the rounding of a constant
PSEUDO_COUNT = 0.5  # of each bin (Jeffreys' prior), so that an empty bin does not make the index infinite
SUM_UNITS = 1_000_000  # of the largest mean of the reference, in which sums are counted as whole numbers
MAX_SUM_UNITS = 10**12  # that one explanation adds: a million times the largest mean; sums of all stay exact
MAX_CLASSES = 8  # explained classes that are told apart, the most frequent ones of the reference
MAX_OBSERVED_WORDS = 24  # of one text that are told apart, the heaviest; the others are summed
MAX_REFERENCE_WORDS = 63  # that a monitor tells apart; with "other words" as many as `BLOCKS`
MIN_WORD_TEXTS = 3  # of the reference that hold a word: a rarer one is chance, and may be about one person
MIN_WORD_PARTS = 2  # of the window in which a new word must be among the heaviest to be shown, for the same reasons
MAX_WORD_CHARS = 32  # of a word that is kept
MAX_BATCH_WORDS = 64  # new words of one report
MAX_LABEL_CHARS = 100  # of a class's label that is kept
CHANCE_QUANTILE = 3.0902  # of the normal distribution: one in a thousand lies above
MAX_NEW_WORDS = 10  # that are shown
