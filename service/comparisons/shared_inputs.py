"""One checked input for all cells of a comparison whose models take the same input."""

from schemas.errors import ServiceError
from schemas.models import InputCard, ModelCard
from schemas.requests import Input
from service.state import Gateway
from service.validation.inputs import CheckedInput, check_input, check_picture_memory, picture_work
from service.validation.model import ReadyModel


class SharedInputs:
    """Checks and decodes an input once for each card of a model's input, and keeps what came of it."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._checked: dict[str, CheckedInput | ServiceError] = {}

    async def checked(self, given: Input, card: ModelCard) -> CheckedInput:
        """The input as this model takes it.

        Raises:
            InvalidRequest: it does not fit the model; names the field.
            ModelUnavailable, ModelUnloaded: the model takes no requests.
            Unavailable: other pictures hold the memory for too long.
        """
        model = ReadyModel.of(card)
        key = model.input.model_dump_json()
        if key not in self._checked:
            try:
                self._checked[key] = await self._check(given, model.input)
            except ServiceError as error:
                self._checked[key] = error
        found = self._checked[key]
        if isinstance(found, ServiceError):
            raise found
        return found

    async def _check(self, given: Input, card: InputCard) -> CheckedInput:
        """The picture's memory is reserved before it is decoded."""
        work = await self._gateway.compute(picture_work, given, card)
        check_picture_memory(work, self._gateway.picture_memory.largest)
        async with self._gateway.picture_memory.reserve(work.memory_bytes):
            return await self._gateway.compute(check_input, given, card)
