"""Every decision made: what renderers turn into files, with nothing left to default."""

from imagegen.plan.cluster import (
    CONTRACT,
    ClusterPlan,
    DeliveryPlan,
)
from imagegen.plan.images import (
    BuilderPlan,
    ImagePlan,
    ManifestPlan,
    PolicyPlan,
    RepositoryPlan,
    RuntimePlan,
    StatementPlan,
    SupplyPlan,
)
from imagegen.plan.roles import (
    AdminPlan,
    ComponentPlan,
    DiskPlan,
    FilePlan,
    KeepalivedPlan,
    KubeadmPlan,
    NodeNamePlan,
    NodePlan,
    RegistryPlan,
    RoleKind,
    RolePlan,
    TimePlan,
    TokenPlan,
)
from imagegen.plan.stock import (
    STOCK_FOLDER,
    STOCK_PAYLOAD,
    STOCK_WORK,
    StockPlan,
)

__all__ = [
    "CONTRACT",
    "STOCK_FOLDER",
    "STOCK_PAYLOAD",
    "STOCK_WORK",
    "AdminPlan",
    "BuilderPlan",
    "ClusterPlan",
    "ComponentPlan",
    "DeliveryPlan",
    "DiskPlan",
    "FilePlan",
    "ImagePlan",
    "KeepalivedPlan",
    "KubeadmPlan",
    "ManifestPlan",
    "NodeNamePlan",
    "NodePlan",
    "PolicyPlan",
    "RegistryPlan",
    "RepositoryPlan",
    "RoleKind",
    "RolePlan",
    "RuntimePlan",
    "StatementPlan",
    "StockPlan",
    "SupplyPlan",
    "TimePlan",
    "TokenPlan",
]
