"""How much a process logs, and in which form: `ATTRIBUTION_LOG_LEVEL` and `ATTRIBUTION_LOG_FORMAT`."""

import logging
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "ATTRIBUTION_LOG_"


class LogSettingsError(ValueError):
    """A variable holds a bad value. The message names it and does not repeat the value."""


def _word(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


class LogSettings(BaseSettings):
    """The settings of a process's log. Frozen."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True)

    level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_word)] = "warning"
    format: Annotated[Literal["auto", "json", "text"], BeforeValidator(_word)] = "auto"  # auto: text on a terminal

    @property
    def level_number(self) -> int:
        """The level as in `logging`."""
        return logging.getLevelNamesMapping()[self.level.upper()]


def read_log_settings() -> LogSettings:
    """The settings of this process's environment.

    Raises:
        LogSettingsError: a variable holds a bad value.
    """
    try:
        return LogSettings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise LogSettingsError(f"{PREFIX}{str(first['loc'][0]).upper()}: {first['msg']}") from None
