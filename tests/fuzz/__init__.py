"""The fuzzer: requests over real sockets, most of them nearly valid. `python -m tests.fuzz --help`."""
