"""Models by name."""

from broker import JobStore
from schemas.errors import FieldError, ModelNotFound
from schemas.models import ModelCard
from service.validation.suggest import suggestion


async def find_card(store: JobStore, name: str, version: str | None) -> ModelCard:
    """The model's card: the version asked for, or the highest that takes jobs.

    Raises:
        ModelNotFound: says which names or versions there are that are close.
        StoreUnavailable: Redis is away.
    """
    try:
        return await store.card(name, version)
    except ModelNotFound:
        cards = await store.cards()
    versions = [card.version for card in cards if card.name == name]
    if versions:
        raise _not_found("version", f"the model {name} has no such version; there is {', '.join(versions)}")
    raise _not_found("model", f"no such model{suggestion(name, [card.name for card in cards])}")


def _not_found(field: str, message: str) -> ModelNotFound:
    return ModelNotFound(message, errors=[FieldError(loc=[field], msg=message)])
