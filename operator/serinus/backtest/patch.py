"""Proposals as a JSON patch (RFC 6902) of the object that has the policy: to be reviewed, then applied with kubectl."""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from serinus.api import CanaryPolicySpec, Regression
from serinus.api.model import Model
from serinus.backtest.proposal import Proposal


class Operation(Model):
    """One operation. `test` makes the patch fail where the metric is no longer in that place."""

    op: Literal["test", "replace"]
    path: str
    value: Any


def patch(policy: CanaryPolicySpec, proposals: Iterable[Proposal], within: str) -> tuple[Operation, ...]:
    """What is proposed, as operations; `within`: the path of the policy in its object, for example /spec."""
    names = [each.name for each in policy.metrics]
    operations: list[Operation] = []
    for each in proposals:
        if each.proposed is not None:
            operations += _operations(each, f"{within}/metrics/{names.index(each.metric.name)}")
    return tuple(operations)


def _operations(proposal: Proposal, path: str) -> Iterator[Operation]:
    assert proposal.proposed is not None, "only what is proposed is written"
    metric, proposed = proposal.metric, proposal.proposed
    yield Operation(op="test", path=f"{path}/name", value=metric.name)
    yield Operation(op="replace", path=f"{path}/tolerance", value=_written(proposed.tolerance))
    if metric.margin is not None and metric.margin != proposed.margin:
        yield Operation(op="replace", path=f"{path}/margin", value=_written(proposed.margin))


def _written(size: Regression) -> dict[str, Any]:
    written: dict[str, Any] = size.model_dump(mode="json", exclude_none=True)
    return written
