"""The two base classes of everything on the wire."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Input from a client: unknown fields are refused, NaN and infinity are refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        str_max_length=100_000,
        protected_namespaces=(),
    )


class Record(BaseModel):
    """Output of the service, and what its parts tell each other."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())
