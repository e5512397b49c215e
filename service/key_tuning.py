"""Numbers of API keys that are choices, each with its unit and reason."""

KEY_BYTES = 32  # random bytes of a key: nobody guesses one, and its plain SHA-256 cannot be searched
KEY_PREFIX = "attr_"  # by which scanners find a key that was published by mistake
MAX_KEYS = 1_000  # of one file: each request compares its key with all of them, in about a millisecond
MAX_KEYS_FILE_BYTES = 1 << 20  # far more than so many keys take
