"""Tests of the workers explain with Captum as a worker does: with the service's changes to it."""

from workers.methods.captum_changes import install

install()
