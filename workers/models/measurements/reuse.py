"""A load that reuses what an earlier one measured and proved, and keeps what it finds itself."""

from collections.abc import Callable
from dataclasses import astuple, replace

import structlog

from schemas.models import ModelCard
from workers.models.measurements.cache import MeasurementCache
from workers.models.measurements.key import measurement_key
from workers.models.measurements.measured import Disproved, Measured
from workers.models.resident import ResidentModel
from workers.models.stages import LoadedModel, TunedModel
from workers.repository.folders import fingerprint

log = structlog.get_logger()
Load = Callable[[], LoadedModel]
Measure = Callable[[LoadedModel], TunedModel]  # tests, copies and times; or checks what is known
Describe = Callable[[TunedModel], ResidentModel]


def load_with_cache(
    cache: MeasurementCache, loaded: LoadedModel, load: Load, measure: Measure, describe: Describe
) -> ResidentModel:
    """The model, with what the cache knows of it; measured anew where a check fails.

    Args:
        loaded: before anything has run it.
        load: loads it once more. A failed check leaves hooks on the module.

    Raises:
        Exception: whatever `load`, `measure` and `describe` raise without knowledge of an earlier load.
    """
    files = fingerprint(loaded.folder)
    key = measurement_key(loaded, files)
    known = cache.read(key)
    if known is not None:
        model = _reused(replace(loaded, known=known), measure, describe)
        if model is not None:
            return model
        cache.discard(key)
        del loaded  # its memory is needed
        loaded = load()
    tuned = measure(loaded)
    model = describe(tuned)
    measured = _measured(key, tuned, model.card)
    if measured is not None and fingerprint(loaded.folder) == files:  # else it may be of other files than its key
        cache.write(measured)
    return model


def _reused(loaded: LoadedModel, measure: Measure, describe: Describe) -> ResidentModel | None:
    """None where a check fails."""
    name = loaded.config.name
    try:
        model = describe(measure(loaded))
    except Disproved as error:
        log.warning("kept measurements do not hold, the model is measured anew", model=name, reason=str(error))
        return None
    except Exception as error:  # a file may name what the model lacks, and the model's own code may raise anything
        log.warning("kept measurements cannot be used", model=name, error=type(error).__name__)
        return None
    log.info("measurements reused", model=name)
    return model


def _measured(key: str, tuned: TunedModel, card: ModelCard) -> Measured | None:
    """What is to be kept; None where a measurement or a proof failed, and for models that run alone."""
    if tuned.view.alone_reason or tuned.steps is None or not (tuned.examined and tuned.timed):
        return None
    return Measured.model_validate(
        {
            "key": key,
            "mixing_layers": tuned.execution.mixing_layers,
            "index_columns": tuned.view.index_columns,
            "steps": tuned.steps,
            "rewrite": tuned.rewrite,
            "rules": {rule: astuple(way) for rule, way in tuned.rule_ways.items()},
            "precision": tuned.precision,
            "batch_rows": tuned.batch_rows,
            "layers": card.layers,
            "methods": card.methods,
            "default_layer": None if card.defaults is None else card.defaults.layer,
        }
    )
