"""Tests of a model at load: what its integers enter, which tensor it returns, whether its rows can share a pass."""
