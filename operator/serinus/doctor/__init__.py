"""What stands in the way of a rollout, or would spoil it: pure checks of what was read, and what to ask for them.

Mesh, endpoints and policy are read by the functions with which the operator reads them: there is no second opinion.
"""

from serinus.controller.cache import Key, Kind
from serinus.controller.named import named_objects
from serinus.doctor.asking import look_at
from serinus.doctor.beginning import AT_BEGINNING
from serinus.doctor.evidence import Answer, Look
from serinus.doctor.examination import (
    Facts,
    arms_of,
    as_in_cluster,
    examine_cluster,
    examine_evidence,
    read_plan,
)
from serinus.doctor.finding import Finding, error, warning
from serinus.doctor.rights import Right, rights_for
from serinus.doctor.served import ISTIO, SERINUS, WORKED_WITH, Served

__all__ = [
    "AT_BEGINNING",
    "ISTIO",
    "SERINUS",
    "WORKED_WITH",
    "Answer",
    "Facts",
    "Finding",
    "Key",
    "Kind",
    "Look",
    "Right",
    "Served",
    "arms_of",
    "as_in_cluster",
    "error",
    "examine_cluster",
    "examine_evidence",
    "look_at",
    "named_objects",
    "read_plan",
    "rights_for",
    "warning",
]
