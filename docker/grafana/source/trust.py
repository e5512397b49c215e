"""Dashboard *Trust*: how far results can be believed."""

from docker.grafana.source.panels import Panel, Query
from docker.grafana.source.queries import quantile, rate, ratio, value
from schemas.telemetry import names

ERROR = names.COMPLETENESS_ERROR
STEPS = names.STAGE_SECONDS
_JOBS = rate(STEPS, "method", where='stage="total"', part="_count")

COMPLETENESS = [
    Panel(
        "Completeness error",
        "By how much the attributions of 95 % of the examples at most miss the difference of outputs, relative to it.",
        "above 0.05 results carry a warning: more steps, another baseline or method. See AttributionIncomplete.",
        "percentunit",
        [Query(quantile(0.95, ERROR, "model", "method"), "{{model}} {{method}}")],
        limit=0.05,
        exemplars=True,
    ),
    Panel(
        "Beyond 5 %",
        "The share of examples whose attributions miss more than 5 % of the difference of outputs.",
        "see Completeness error.",
        "percentunit",
        [
            Query(
                "1 - "
                + ratio(
                    rate(ERROR, "model", "method", where='le="0.05"', part="_bucket"),
                    rate(ERROR, "model", "method", part="_count"),
                ),
                "{{model}} {{method}}",
            )
        ],
        limit=0.1,
    ),
    Panel(
        "Distribution of the completeness error",
        "Examples in a second by their error, over all methods that promise completeness.",
        "a second hump near 1: a baseline whose output is that of the input, or parts without a rule for DeepLIFT.",
        "percentunit",
        [Query(rate(ERROR, "le", part="_bucket"))],
        "distribution",
    ),
    Panel(
        "Warnings",
        "Warnings that a result carries on average, by method.",
        "GET /jobs/{id}/result names them; the same text stands below its picture.",
        "short",
        [Query(ratio(rate(names.RESULT_WARNINGS, "method"), _JOBS), "{{method}}")],
    ),
]
OTHERS = [
    Panel(
        "Score of the explained class",
        "The median and the lowest tenth of the scores of explained classes, by model.",
        "it falls: inputs are unlike those of the training, or clients explain classes that the model does not see.",
        "percentunit",
        [
            Query(quantile(0.5, names.EXPLAINED_SCORE, "model"), "{{model}} median"),
            Query(quantile(0.1, names.EXPLAINED_SCORE, "model"), "{{model}} lowest tenth"),
        ],
    ),
    Panel(
        "Distribution of the score",
        "Examples in a second by the score of the explained class.",
        "see Score of the explained class.",
        "percentunit",
        [Query(rate(names.EXPLAINED_SCORE, "le", part="_bucket"))],
        "distribution",
    ),
    Panel(
        "Infidelity",
        "The median and the highest tenth of the infidelity, where requests ask for it, by method. Lower is better.",
        "compare the methods on the same model; a method that is worse by orders explains something else.",
        "short",
        [
            Query(quantile(0.5, names.INFIDELITY, "method"), "{{method}} median"),
            Query(quantile(0.9, names.INFIDELITY, "method"), "{{method}} highest tenth"),
        ],
    ),
    Panel(
        "Sensitivity",
        "The median and the highest tenth of the largest change of an explanation under small changes of its input.",
        "above 1 an explanation changes by more than itself: average it over noise, or do not show it to people.",
        "percentunit",
        [
            Query(quantile(0.5, names.SENSITIVITY, "method"), "{{method}} median"),
            Query(quantile(0.9, names.SENSITIVITY, "method"), "{{method}} highest tenth"),
        ],
    ),
]


def _drift(statistic: str) -> list[Query]:
    """One line for each monitor."""
    return [Query(value(names.DRIFT, "monitor", where=f'statistic="{statistic}"'), "{{monitor}}")]


DRIFT = [
    Panel(
        "Ranks of features",
        "How far the features of each monitor's window keep the ranks of its reference, as NDCG: 1 for the same ranks.",
        "below 0.90 other features carry the predictions. GET /monitors/NAME names them. See AttributionDrift.",
        "short",
        _drift("ndcg"),
    ),
    Panel(
        "Distribution of attributions",
        "The largest population stability index of a feature's attribution, by monitor.",
        "above 0.2, and above psi_noise of GET /monitors/NAME, that feature's attributions have changed.",
        "short",
        _drift("psi_max"),
        limit=0.2,
    ),
    Panel(
        "Distribution of scores",
        "Population stability index of the score of the explained class, by monitor.",
        "above 0.2 with steady ranks: the mix of classes has changed, or the model is surer or less sure.",
        "short",
        _drift("psi_score"),
        limit=0.2,
    ),
]
ROWS = {"Completeness": COMPLETENESS, "Scores and metrics of quality": OTHERS, "Drift": DRIFT}
