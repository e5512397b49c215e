"""The file that names several job stores and the models of each: `ATTRIBUTION_STORES` of gateways.

    [[store]]
    name = "pictures"                                  # part of the ids of its jobs
    url = "rediss://:password@redis-pictures:6379/0"   # as ATTRIBUTION_REDIS_URL
    models = ["efficientnet-lite0", "vit"]
    ca = "/etc/attribution/store-ca/ca.crt"            # with rediss://; also cert and key

Models that no store names are on the store of `ATTRIBUTION_REDIS_URL`.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from broker.settings import StoreSettings
from broker.tuning import MAX_STORES, MAX_STORES_FILE_BYTES
from schemas.requests import ModelName


class StoresError(ValueError):
    """The file of stores cannot be read, or holds a mistake. The message names the file and the place, and repeats no
    value of it, since URLs hold passwords."""


class NamedStore(BaseModel):
    """One store: its name, how it is reached, and its models. Frozen; the URL stays out of `repr`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9]{1,16}$")]
    url: Annotated[str, Field(repr=False)]
    models: Annotated[tuple[ModelName, ...], Field(min_length=1, max_length=10_000)]
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    @model_validator(mode="after")
    def _can_be_reached(self) -> "NamedStore":
        try:
            self.settings()
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            field = str(first["loc"][0]).removeprefix("redis_")
            raise ValueError(f"{field}: {first['msg']}") from None
        return self

    def settings(self) -> StoreSettings:
        """The settings of the store: those of the environment, with this URL and these files."""
        return StoreSettings(redis_url=self.url, redis_ca=self.ca, redis_cert=self.cert, redis_key=self.key)


class _StoresFile(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    store: Annotated[tuple[NamedStore, ...], Field(min_length=1, max_length=MAX_STORES)]

    @model_validator(mode="after")
    def _are_unique(self) -> "_StoresFile":
        names = [one.name for one in self.store]
        if len(set(names)) < len(names):
            raise ValueError("two stores have one name")
        models = [model for one in self.store for model in one.models]
        if len(set(models)) < len(models):
            raise ValueError("a model is on two stores")
        return self


def read_stores(path: Path) -> tuple[NamedStore, ...]:
    """The stores of a file.

    Raises:
        StoresError: see the class.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_STORES_FILE_BYTES + 1)
    except OSError as error:
        raise StoresError(f"{path}: {error.strerror}") from None
    if len(text) > MAX_STORES_FILE_BYTES:
        raise StoresError(f"{path}: more than {MAX_STORES_FILE_BYTES} bytes")
    try:
        return _StoresFile.model_validate(tomllib.loads(text.decode())).store
    except ValidationError as error:
        raise StoresError(f"{path}: {_described(error)}") from None
    except UnicodeDecodeError:
        raise StoresError(f"{path}: not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise StoresError(f"{path}: {error}") from None


def _described(error: ValidationError) -> str:
    """`store 2, url: …`."""
    first: Any = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = [
        f"store {part + 1}" if isinstance(part, int) and at == 1 else str(part) for at, part in enumerate(first["loc"])
    ]
    where = ", ".join(place[1:] or place)
    return f"{where}: {first['msg']}" if where else str(first["msg"])
