"""Every method has its Captum call, in the lane that its class declares."""

from captum.attr._core.deep_lift import SUPPORTED_NON_LINEAR
from captum.attr._core.lrp import SUPPORTED_NON_LINEAR_LAYERS

from schemas.methods import METHODS
from workers.methods.captum_changes import install
from workers.methods.shared.lane import ADAPTIVE, RULED, SHARED
from workers.methods.solo.lane import HOOKED


def test_tables_and_classes_agree() -> None:
    assert set(SHARED) == {cls for cls in METHODS.values() if cls.lane == "shared"}
    assert set(HOOKED) == {cls for cls in METHODS.values() if cls.lane == "solo"}
    assert set(RULED) == {cls for cls in METHODS.values() if cls.backward_rule is not None}
    assert set(ADAPTIVE) == {cls for cls in METHODS.values() if "adaptive" in vars(cls)}


def test_captum_is_changed_once() -> None:
    install()
    rules, passed = dict(SUPPORTED_NON_LINEAR), list(SUPPORTED_NON_LINEAR_LAYERS)
    install()
    assert rules == SUPPORTED_NON_LINEAR
    assert passed == SUPPORTED_NON_LINEAR_LAYERS
    assert len(set(passed)) == len(passed)
