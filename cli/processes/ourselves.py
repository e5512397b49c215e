"""The command `attribution`, as a process of it starts another."""

import sys

# -P keeps the working directory off the path, where a folder may have the name of one of our packages.
COMMAND = (sys.executable, "-P", "-m", "cli")
