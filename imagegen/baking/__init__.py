"""Runs Packer over an emitted folder: what a person would type, with its progress, its log and no secrets."""

from imagegen.baking.commands import Bake, commands_of
from imagegen.baking.folder import staged
from imagegen.baking.masking import mask_for
from imagegen.baking.progress import Line, read_line
from imagegen.baking.run import follow, version_of

__all__ = ["Bake", "Line", "commands_of", "follow", "mask_for", "read_line", "staged", "version_of"]
