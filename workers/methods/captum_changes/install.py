"""All that this service changes in Captum's own tables and functions.

`docs/captum-differences.md` lists what this changes in results.
"""

from workers.methods.captum_changes import deep_lift_rules, lrp_rules, quadrature_nodes


def install() -> None:
    """Changes Captum for the whole process. A process calls it before it explains; calling it again has no effect."""
    quadrature_nodes.install()
    deep_lift_rules.install()
    lrp_rules.install()
