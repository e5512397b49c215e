"""The formulas of KEDA and the Horizontal Pod Autoscaler."""

import pytest

from tests.scaling.autoscaler import Autoscaler, Rule

RULE = Rule(target=10, most=8, activation=1, cooldown_s=30, stabilisation_s=20, up_period_s=15)


def run(steps: list[tuple[float, float]], replicas: int = 0, rule: Rule = RULE) -> list[int]:
    """The numbers of replicas after each (time, value), where each decision is carried out at once."""
    autoscaler = Autoscaler(rule)
    found = []
    for now_s, value in steps:
        replicas = autoscaler.desired(now_s, [value], replicas)
        found.append(replicas)
    return found


def test_none_stays_none_up_to_the_activation_threshold() -> None:
    assert run([(0, 0), (1, 1)]) == [0, 0]


def test_the_first_one_starts_alone_and_the_others_by_the_formula() -> None:
    assert run([(0, 35), (1, 35)]) == [1, 4]


@pytest.mark.parametrize(("value", "wanted"), [(51, 5), (54.9, 5), (45.1, 5), (56, 6), (79, 8), (500, 8)])
def test_a_tenth_is_tolerated_and_the_bound_is_kept(value: float, wanted: int) -> None:
    assert Autoscaler(RULE).desired(0, [value], 5) == wanted


def test_growth_is_bounded_within_a_period() -> None:
    rule = Rule(target=1, most=100, up_period_s=15)
    assert run([(0, 90), (1, 90), (2, 90), (17, 90)], rule=rule) == [1, 5, 5, 10]


def test_it_shrinks_by_the_largest_number_of_the_window() -> None:
    assert run([(0, 45), (1, 45), (5, 25), (10, 15), (24, 15), (31, 15)]) == [1, 5, 5, 5, 3, 2]
    assert Autoscaler(RULE).desired(0, [10], 5) == 5, "what there is at the beginning counts as computed"


def test_the_last_one_stops_after_the_cooldown() -> None:
    assert run([(0, 5), (10, 0), (29, 0), (30, 0)]) == [1, 1, 1, 0]


def test_the_trigger_that_asks_for_most_counts() -> None:
    assert Autoscaler(RULE).desired(0, [5, 40, 0], 1) == 4
