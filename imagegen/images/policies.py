"""What a builder's account may do becomes a document of the cloud's policy language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from imagegen.plan import PolicyPlan, StatementPlan


def write_policy(plan: PolicyPlan) -> dict[str, Any]:
    """The document of an IAM (AWS) or a RAM policy (Alibaba Cloud)."""
    return {
        "Version": plan.version,
        "Statement": [dict(_statement(statement, named=plan.named)) for statement in plan.statements],
    }


def _statement(plan: StatementPlan, *, named: bool) -> Iterator[tuple[str, Any]]:
    if named:
        yield "Sid", plan.name
    yield "Effect", "Allow"
    yield "Action", list(plan.actions)
    yield "Resource", list(plan.resources)
    if plan.conditions:
        yield "Condition", {operator: dict(keys) for operator, keys in plan.conditions.items()}
