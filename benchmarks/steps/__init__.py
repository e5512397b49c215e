"""E_alg: rows that `"n_steps": "auto"` takes, against rows that the fixed rule takes for equal errors.

    .venv/bin/python -m benchmarks.steps              # 50 pictures; an interrupted run continues
    .venv/bin/python -m benchmarks.steps --pictures 5 --out /tmp/steps

Every explanation is computed by the worker's own function on EfficientNet-Lite0, for the predicted class, from the
default baseline. Errors are measured against a long reference: the gradients at 153 points of the path, dense where it
is rough.

There are two errors. Completeness: |sum of attributions - (f(input) - f(baseline))| / |f(input) - f(baseline)|, which
`tolerance` bounds. Map: the L2 distance of the attributions from the reference, relative to its norm. The smallest
fixed Gauss-Legendre count is given in five senses:

    both     the first count whose completeness and map errors are both at most auto's: equal error; this is E_alg
    within   the first count within the tolerance whose map error is at most auto's
    map      the first count whose map error is at most auto's
    first    the first count whose completeness error is at most auto's, though it may be larger again at the next
    stays    the count from which on the completeness error stays at most auto's

All counts are rows, including both ends of the path, which every rule needs.
"""
