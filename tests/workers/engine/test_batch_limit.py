"""The limit of a pass falls when memory is short, and to one row for a model that fails on several."""

from workers.engine.batch_limit import FAILS_TOGETHER, BatchLimit
from workers.engine.tuning import FAILED_PASSES_BEFORE_SINGLE_ROWS


def test_a_pass_that_did_not_fit_is_halved() -> None:
    limit = BatchLimit(64)
    limit.halve(40)
    assert limit.rows == 20
    assert limit.alone_reason is None


def test_consecutive_passes_that_fail_as_a_whole_end_in_single_rows() -> None:
    limit = BatchLimit(16)
    for _ in range(FAILED_PASSES_BEFORE_SINGLE_ROWS - 1):
        limit.observe(divided=True, failed=False)
        assert (limit.rows, limit.alone_reason) == (16, None)
    limit.observe(divided=True, failed=False)
    assert (limit.rows, limit.alone_reason) == (1, FAILS_TOGETHER)


def test_a_good_pass_resets_the_count_and_a_failing_row_proves_nothing() -> None:
    limit = BatchLimit(16)
    for _ in range(3 * FAILED_PASSES_BEFORE_SINGLE_ROWS):
        limit.observe(divided=True, failed=True)
        limit.observe(divided=True, failed=False)
        limit.observe(divided=False, failed=False)
    assert limit.alone_reason is None
