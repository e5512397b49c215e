"""Limits of a request.

Written by `client/generate_types.py` from the service's OpenAPI description; do not edit.
"""

MAX_EXAMPLES = 64
MAX_IMAGE_BYTES = 12583065
MAX_TEXT_CHARS = 20000
