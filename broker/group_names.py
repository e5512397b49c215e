"""Groups of workers, and the models that each holds, as the registry names them.

A group is one Deployment: all of its workers hold the same models. A group that has no worker now still holds what its
last workers held.
"""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from broker.tuning import LEFT_GROUP_MS
from schemas.model_key import ModelKey

DEFAULT_GROUP = "default"


class GroupNames(NamedTuple):
    """The registry of groups.

    Attributes:
        holding: for each model, the groups that hold it.
        left: for each model that no group holds any more, the group that held it last.
    """

    holding: Mapping[ModelKey, tuple[str, ...]]
    left: Mapping[ModelKey, str]

    @classmethod
    def of(cls, members: Mapping[str, int]) -> "GroupNames":
        """From the members, `group` and `group name@version`, and when each expires, in milliseconds. A group that has
        gone on for `LEFT_GROUP_MS` after it announced a model last no longer holds it."""
        announced: defaultdict[ModelKey, dict[str, int]] = defaultdict(dict)
        for member, expires_ms in members.items():
            group, _, text = member.partition(" ")
            with suppress(ValueError):  # the group itself, or a damaged name
                announced[ModelKey.parse(text)][group] = expires_ms
        holding: dict[ModelKey, tuple[str, ...]] = {}
        left: dict[ModelKey, str] = {}
        for model, groups in announced.items():
            present = [group for group, at in groups.items() if at > members.get(group, 0) - LEFT_GROUP_MS]
            if present:
                holding[model] = tuple(sorted(present))
            else:
                left[model] = max(groups, key=lambda group: groups[group])
        return cls(holding, left)

    def hold(self, model: ModelKey) -> bool:
        """Whether a group holds the model, live or asleep."""
        return model in self.holding

    def of_model(self, model: ModelKey) -> tuple[str, ...]:
        """The groups for which the model's backlog is reported; at least one."""
        return self.holding.get(model) or (self.left.get(model, DEFAULT_GROUP),)
