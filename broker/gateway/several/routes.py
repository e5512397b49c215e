"""Which of several stores has a model, a job or a comparison."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from broker.gateway.store import JobStore
from broker.keys import JOB_ID_CHARS
from schemas.errors import InvalidRequest
from schemas.sentences import Sentence

DEFAULT = ""  # the name of the store that has every model which no other store names


class StoreRoutes:
    """The stores by name. The default one has the models that no other store names.

    The id of a job or comparison ends with `-` and the name of its store; without, it is the default store's. The
    random part before it is as long as ever, so nobody guesses an id. A name that no store has leads to the default
    store, which knows no such job.

    Args:
        stores: by name; `DEFAULT` is one of them.
        models: names of models, each with the name of its store.
    """

    def __init__(self, stores: Mapping[str, JobStore], models: Mapping[str, str]) -> None:
        self._stores = dict(stores)
        self._models = dict(models)

    def of_model(self, name: str) -> JobStore:
        """The store of a model, whether there is such a model or not."""
        return self._stores[self.name_of_model(name)]

    def name_of_model(self, name: str) -> str:
        """The name of the store of a model."""
        return self._models.get(name, DEFAULT)

    def of_id(self, text: str) -> JobStore:
        """The store of the job or comparison with this id."""
        return self._stores[self._name_of_id(text)]

    def grouped(self, ids: Iterable[str]) -> list[tuple[JobStore, list[str]]]:
        """The ids of each store, in their order."""
        groups: dict[str, list[str]] = {}
        for one in ids:
            groups.setdefault(self._name_of_id(one), []).append(one)
        return [(self._stores[name], of_store) for name, of_store in groups.items()]

    def shared_by(self, models: Collection[str]) -> JobStore:
        """The store of all these models. Raises `InvalidRequest` if they are on several."""
        names = {self.name_of_model(model) for model in models}
        if len(names) > 1:
            text = Sentence(
                "{models} are on different job stores and cannot be compared in one request; send one for each store",
                models=", ".join(sorted(models)),
            )
            raise InvalidRequest.at(["models"], text)
        return self._stores[next(iter(names), DEFAULT)]

    def items(self) -> Iterator[tuple[str, JobStore]]:
        """Every store with its name, in an order that is the same in every gateway with these stores."""
        yield from sorted(self._stores.items())

    def _name_of_id(self, text: str) -> str:
        name = text[JOB_ID_CHARS + 1 :]
        is_tagged = len(text) > JOB_ID_CHARS + 1 and text[JOB_ID_CHARS] == "-"
        return name if is_tagged and name in self._stores else DEFAULT


def id_ending(name: str) -> str:
    """What the ids of a store end with."""
    return f"-{name}" if name else ""
