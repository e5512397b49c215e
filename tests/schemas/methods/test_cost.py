"""Costs as values."""

from schemas.methods.cost import Cost


def test_a_cost_reads_as_a_sum() -> None:
    cost = Cost.of(3, "examples") * (Cost.of(50, "n_steps") * Cost.of(2, "rows") + Cost(1) + Cost.of(7, "infidelity"))
    assert cost.rows == 3 * (50 * 2 + 1 + 7)
    assert str(cost) == "3 examples x (50 n_steps x 2 rows + 1 + 7 infidelity)"


def test_plain_rows_are_a_number() -> None:
    assert str(Cost(1) + Cost(0)) == "1 + 0"
    assert (Cost(4) * Cost(5)).rows == 20


def test_a_sum_is_put_in_parentheses_on_either_side() -> None:
    both = Cost.of(1, "a") + Cost.of(2, "b")
    assert str(both * Cost.of(3, "c")) == "(1 a + 2 b) x 3 c"
    assert str(Cost.of(3, "c") * both) == "3 c x (1 a + 2 b)"
