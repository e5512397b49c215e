"""MLflow's evaluator: explains a sample of a data set through the service, and logs what it found."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from mlflow.models.evaluation import EvaluationResult, ModelEvaluator

from attribution_client.client import Client
from attribution_client.display.words import WORDS, Language
from attribution_client.errors import AttributionError, Unreachable
from attribution_client.mlflow.charts import MAX_BARS, bar_chart, region_chart
from attribution_client.mlflow.drawing import log_picture
from attribution_client.mlflow.failures import Failure, not_tried
from attribution_client.mlflow.findings import Findings
from attribution_client.mlflow.options import Options, read_options
from attribution_client.mlflow.record import Record
from attribution_client.mlflow.sampling import inputs_of, sampled_rows
from attribution_client.result import Result

LOGGER = logging.getLogger(__name__)
MAX_IMPORTANCES = 1_000  # rows of the table


class AttributionEvaluator(ModelEvaluator):  # type: ignore[misc]  # mlflow is checked without its types
    """`evaluators=["attribution"]`. It explains the service's own copy of a model, which `evaluator_config` names.

    It takes part only where its configuration has a `model`, so that `evaluators=None` asks no service of people who
    have merely installed it.
    """

    @classmethod
    def can_evaluate(cls, *, model_type: str | None, evaluator_config: dict[str, Any] | None, **_: Any) -> bool:
        """Whether the configuration names a model of the service."""
        return "model" in (evaluator_config or {})

    def evaluate(self, *, dataset: Any, run_id: str, evaluator_config: dict[str, Any], **_: Any) -> EvaluationResult:
        """Explains a sample, and logs pictures, tables, metrics and tags to the run.

        What cannot be explained or drawn is logged too, and ends nothing.

        Raises:
            MlflowException: an option is not usable, or the data has no column of inputs.
        """
        options = read_options(evaluator_config)
        rows = sampled_rows(len(dataset.features_data), options.sample, options.sample_seed)
        record = Record(run_id, options.prefix)
        findings = Findings(len(rows))
        with Client(options.url, language=options.language) as service:
            for row, result in _explained(service, options, dataset, rows, findings):
                findings.add(row, _label(dataset.labels_data, row), result)
                if findings.explained <= options.pictures:
                    failure = log_picture(record, f"examples/{row}", result, row)
                    findings.failures += [failure] if failure else []
        return _logged(record, findings, service.language)


def _explained(
    service: Client, options: Options, dataset: Any, rows: Sequence[int], findings: Findings
) -> Iterator[tuple[int, Result]]:
    """The results of those rows that can be explained; the failures of the others go to the findings."""
    try:
        card = service.model(options.model, options.version)
    except AttributionError as error:
        findings.failures.append(Failure.of(None, "service", error))
        findings.failures += [not_tried(row) for row in rows]
        return
    found = service.map(
        inputs_of(dataset.features_data, rows, card, options.input_column),
        concurrency=options.concurrency,
        on_error="return",
        model=options.model,
        version=options.version,
        method=options.method,
        target=options.target,
        quality=options.quality,
        seed=options.seed,
        timeout_s=options.timeout_s,
    )
    for place, (row, result) in enumerate(zip(rows, found, strict=True)):
        if isinstance(result, Result):
            yield row, result
            continue
        findings.failures.append(Failure.of(row, "explain", result))
        if isinstance(result, Unreachable):  # each further example would wait for its own retries
            findings.failures += [not_tried(later) for later in rows[place + 1 :]]
            return


def _label(labels: Any, row: int) -> Any:
    """What the data set says of an example, as a plain value."""
    label: Any = None if labels is None else labels[row]
    return label.item() if hasattr(label, "item") else label


def _logged(record: Record, findings: Findings, language: Language) -> EvaluationResult:
    """Logs everything but the examples' pictures."""
    metrics = record.metrics(findings.metrics())
    if findings.explained:
        record.tags(findings.provenance.tags())
        record.table("attributions", findings.table)
        importances = findings.importances.strongest(MAX_IMPORTANCES)
        record.table("importances", [vars(one) for one in importances])
        record.picture("importances_chart", _importances_chart(findings, language))
    if findings.failures:
        record.table("failures", [vars(one) for one in findings.failures])
        LOGGER.warning(
            "attribution: %d failures are logged in the table %s_failures.json", len(findings.failures), record.prefix
        )
    return EvaluationResult(metrics, record.artifacts)


def _importances_chart(findings: Findings, language: Language) -> bytes:
    words, tags = WORDS[language], findings.provenance.tags()
    title = f"{tags['model']}, {tags['method']}, {words['examples']}: {findings.explained}"
    regions = findings.importances.region_map()
    if regions is not None:
        return region_chart(regions, title, words["importance"], language)
    strongest = findings.importances.strongest(MAX_BARS)
    return bar_chart(
        [one.name for one in strongest], [one.mean_absolute for one in strongest], title, words["importance"]
    )
