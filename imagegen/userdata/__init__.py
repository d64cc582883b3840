"""A role's plan becomes cloud-init user-data, and the forms that providers take it in."""

from imagegen.userdata.cloud_config import render_user_data
from imagegen.userdata.forms import Artifact, make_artifact
from imagegen.userdata.nocloud import render_seed

__all__ = ["Artifact", "make_artifact", "render_seed", "render_user_data"]
