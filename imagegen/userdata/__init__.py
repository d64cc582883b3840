"""A role's plan becomes cloud-init user-data, and the forms that providers take it in."""

from collections.abc import Mapping

from imagegen.plan import DeliveryPlan, RolePlan
from imagegen.userdata.cloud_config import render_user_data
from imagegen.userdata.files import file_sizes, list_files
from imagegen.userdata.forms import Artifact, make_artifact
from imagegen.userdata.nocloud import render_seed

__all__ = ["Artifact", "render_artifact", "render_seed"]


def render_artifact(role: RolePlan, templates: Mapping[str, str], delivery: DeliveryPlan) -> Artifact:
    """The user-data of a role, in the form that its provider takes."""
    files = list_files(role, templates)
    return make_artifact(
        role.name,
        lambda packed: render_user_data(role, files, packed=packed),
        lambda packed: file_sizes(files, packed=packed),
        delivery,
    )
