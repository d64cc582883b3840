"""A role's plan becomes cloud-init user-data, and the forms that providers take it in."""

from collections.abc import Mapping

from imagegen.plan import DeliveryPlan, RolePlan, StockPlan
from imagegen.userdata.cloud_config import render_user_data
from imagegen.userdata.files import file_sizes, list_files
from imagegen.userdata.forms import Artifact, make_artifact
from imagegen.userdata.nocloud import render_seed
from imagegen.userdata.stock import start_command, stock_files

__all__ = ["Artifact", "render_artifact", "render_seed"]


def render_artifact(
    role: RolePlan, templates: Mapping[str, str], delivery: DeliveryPlan, stock: StockPlan | None = None
) -> Artifact:
    """The user-data of a role, in the form that its provider takes; `stock`: its machines install themselves."""
    files = list_files(role, templates)
    start: list[str] = []
    if stock is not None:
        files = (*files, *stock_files(stock, files))
        start = start_command(stock)
    return make_artifact(
        role.name,
        lambda packed: render_user_data(role, files, start, packed=packed),
        lambda packed: file_sizes(files, packed=packed),
        delivery,
    )
