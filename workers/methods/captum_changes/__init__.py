"""What this service changes in Captum: rules that it lacks, and quadrature nodes that are computed once."""

from workers.methods.captum_changes.install import install

__all__ = ["install"]
