"""The two base classes of all documents on the wire."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Input from a client. Unknown fields, NaN and infinity are refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        str_max_length=100_000,
        protected_namespaces=(),
    )


class Record(BaseModel):
    """Output of the service, and messages between its parts."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())
