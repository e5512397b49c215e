"""What is proven of a model while its first jobs run: the modules by which methods with backward rules share passes."""

from collections.abc import Callable
from dataclasses import replace

import structlog

from schemas.models import ModelCard
from workers.engine.device.threads import threads_within
from workers.models.method_support import with_rule_reasons
from workers.models.proof_threads import proof_threads
from workers.models.resident import ResidentModel
from workers.models.stages import TunedModel, UsableModel
from workers.transform.rules import RuleChoice

log = structlog.get_logger()
Keep = Callable[[ModelCard, RuleChoice], None]  # of the final card and the rule modules


def usable_model(tuned: TunedModel, model: ResidentModel, keep: Keep) -> UsableModel:
    """The model, with the work that is left.

    Args:
        keep: called once all is proven.
    """
    if tuned.rules is not None:
        keep(model.card, tuned.rules)
    prove = tuned.prove_rules
    if prove is None:
        return UsableModel(model)

    def complete() -> ResidentModel:
        with threads_within(proof_threads(model.engine.view.module)):
            choice = prove()
        completed = _with_rules(model, choice)
        try:
            keep(completed.card, choice)
        except OSError as error:  # its folder is gone
            log.warning("measurements cannot be kept", model=str(model.key), error=str(error.strerror))
        return completed

    return UsableModel(model, complete)


def _with_rules(model: ResidentModel, choice: RuleChoice) -> ResidentModel:
    """The engine's view gets the modules, and the card says for which methods there are none."""
    model.engine.view.rule_modules.update(choice.modules)
    log.info("rule modules proven", model=str(model.key), rules=sorted(choice.modules))
    methods = with_rule_reasons(model.card.methods, choice.reasons)
    return replace(model, card=model.card.model_copy(update={"methods": methods}))
