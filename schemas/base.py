"""The base classes of all documents on the wire."""

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
    """Output of the service, and messages between its parts.

    The parts may be of different versions, so fields that this version does not know are ignored.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, protected_namespaces=())


class Forwarded(Record):
    """A record that the gateway reads from the job store and passes on to clients. Fields that this version does not
    know are kept."""

    model_config = ConfigDict(extra="allow")
