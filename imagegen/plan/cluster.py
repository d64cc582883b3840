"""A whole cluster."""

from imagegen.frozen import dataclass
from imagegen.plan.images import ImagePlan
from imagegen.plan.roles import NodePlan, RolePlan

CONTRACT = 2
"""What image and user-data promise each other on the node; a change that breaks the other half raises it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPlan:
    """How user-data reaches a machine; `limit` in bytes before base64, 0 for none.

    `http_tokens`: what machines are to be started with; None is the cloud's own default.
    """

    provider: str
    limit: int
    encoding: str
    gzip: bool
    http_tokens: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterPlan:
    """A whole cluster."""

    name: str
    kubernetes_version: str
    admin_group: str
    endpoint: str
    delivery: DeliveryPlan
    images: tuple[ImagePlan, ...]
    roles: tuple[RolePlan, ...]
    nodes: tuple[NodePlan, ...]
