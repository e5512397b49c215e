"""A load that reuses what an earlier one measured and proved, and keeps what it finds itself."""

from collections.abc import Callable
from dataclasses import astuple, replace

import structlog

from schemas.models import ModelCard
from workers.models.completion import usable_model
from workers.models.measurements.cache import MeasurementCache
from workers.models.measurements.key import measurement_key
from workers.models.measurements.measured import Disproved, Measured
from workers.models.resident import ResidentModel
from workers.models.stages import LoadedModel, TunedModel, UsableModel
from workers.repository.folders import fingerprint
from workers.transform.rules import RuleChoice

log = structlog.get_logger()
Load = Callable[[], LoadedModel]
Measure = Callable[[LoadedModel], TunedModel]  # tests, copies and times; or checks what is known
Describe = Callable[[TunedModel], ResidentModel]


def load_with_cache(
    cache: MeasurementCache, loaded: LoadedModel, load: Load, measure: Measure, describe: Describe
) -> UsableModel:
    """Loads a model with the measurements in the cache, or measures it where a check of them fails.

    New measurements are written to the cache once all proofs are done.

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
            return UsableModel(model)
        cache.discard(key)
        del loaded  # its memory is needed
        loaded = load()
    tuned = measure(loaded)
    folder = loaded.folder

    def keep(card: ModelCard, choice: RuleChoice) -> None:
        measured = _measured(key, tuned, card, choice)
        if measured is not None and fingerprint(folder) == files:  # else it may be of other files than its key
            cache.write(measured)

    return usable_model(tuned, describe(tuned), keep)


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


def _measured(key: str, tuned: TunedModel, card: ModelCard, choice: RuleChoice) -> Measured | None:
    """What is to be kept; None where a measurement or a proof failed, and for models that run alone."""
    conclusive = tuned.examined and tuned.timed and choice.conclusive
    if tuned.view.alone_reason or tuned.steps is None or not conclusive:
        return None
    return Measured.model_validate(
        {
            "key": key,
            "mixing_layers": tuned.execution.mixing_layers,
            "index_columns": tuned.view.index_columns,
            "steps": tuned.steps,
            "rewrite": tuned.rewrite,
            "rules": {rule: astuple(way) for rule, way in choice.ways.items()},
            "precision": tuned.precision,
            "batch_rows": tuned.batch_rows,
            "layers": card.layers,
            "methods": card.methods,
            "default_layer": None if card.defaults is None else card.defaults.layer,
        }
    )
