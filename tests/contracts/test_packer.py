"""What imagegen emits for Packer is what the templates ask for, and safe unless the spec says otherwise."""

from __future__ import annotations

import io
import json
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import hcl2
import pytest
from hcl2.utils import SerializationOptions

from imagegen import assets
from tests.support.builders import BUILDERS, CASES, folder_of, variables_of, with_builder
from tests.support.specs import spec

ROOT = Path(__file__).parents[2]
PACKER = ROOT / "packer"
PLAIN = SerializationOptions(strip_string_quotes=True, with_comments=False, explicit_blocks=False)
FILES = {path.name: path.read_text() for path in sorted(PACKER.glob("*.pkr.hcl"))}


@cache
def parsed(text: str) -> dict[str, Any]:
    """A template as data, with its expressions as text."""
    data: dict[str, Any] = hcl2.load(io.StringIO(text), serialization_options=PLAIN)
    return data


def blocks(kind: str, texts: dict[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """All blocks of a kind with a single label, with their bodies."""
    for text in texts.values():
        for block in parsed(text).get(kind, ()):
            yield from block.items()


def declared_variables(texts: dict[str, str] = FILES) -> dict[str, dict[str, Any]]:
    """The variables of the templates, by name."""
    return dict(blocks("variable", texts))


def source_of(builder: str) -> dict[str, Any]:
    """The body of a builder's source."""
    (body,) = (body["node"] for kind, body in blocks("source", FILES) if kind == builder)
    return dict(body)


def emitted_templates(builder: str) -> dict[str, str]:
    """The templates in the folder of an image that has this builder."""
    files = folder_of(with_builder(builder))
    return {path: content.decode() for path, content in files.items() if path.endswith(".pkr.hcl")}


@pytest.mark.parametrize("builder", BUILDERS)
def test_values_and_variables_fit(builder: str) -> None:
    values, variables = variables_of(with_builder(builder)), declared_variables(emitted_templates(builder))
    assert set(values) <= set(variables)
    assert {name for name, body in variables.items() if "default" not in body} <= set(values)


@pytest.mark.parametrize("builder", BUILDERS)
def test_every_setting_of_the_spec_reaches_packer(builder: str) -> None:
    text = json.dumps(variables_of(with_builder(builder)))
    for value in CASES[builder].settings.values():
        for said in value if isinstance(value, list) else value.values() if isinstance(value, dict) else [value]:
            assert json.dumps(said) in text


def test_every_variable_that_is_used_is_declared_and_every_declared_one_used() -> None:
    text = "".join(FILES.values())
    outside = re.sub(r"validation \{.*?\n  \}", "", text, flags=re.DOTALL)
    assert set(re.findall(r"\bvar\.([a-z_]+)", outside)) == set(declared_variables())


def test_every_local_that_is_used_is_there_and_every_one_is_used() -> None:
    text = "".join(FILES.values())
    names = {name for template in FILES.values() for block in parsed(template).get("locals", ()) for name in block}
    assert set(re.findall(r"\blocal\.([a-z_]+)", text)) == names


@pytest.mark.parametrize("name", sorted(declared_variables()))
def test_every_variable_is_typed_described_and_checked(name: str) -> None:
    body = declared_variables()[name]
    assert "type" in body
    assert body["description"]
    # Of a bool there is nothing to check.
    assert "validation" in body or "bool" in str(body["type"])


@pytest.mark.parametrize("builder", BUILDERS)
def test_a_folder_has_the_files_of_its_builders_alone(builder: str) -> None:
    files = folder_of(with_builder(builder))
    wanted = {"qemu", CASES[builder].key}
    plugins = {path.split(".")[1] for path in files if path.startswith("plugins.")}
    assert plugins == wanted
    others = {case.key for case in CASES.values()} - wanted
    assert not {f"{key}.pkr.hcl" for key in others} & set(files)
    assert {f"{key}.pkr.hcl" for key in wanted} <= set(files)
    assert {"qemu", builder} == set(variables_of(with_builder(builder))["builders"])


def test_every_builder_has_a_plugin_a_source_and_a_provider() -> None:
    sources = {kind for kind, _ in blocks("source", FILES)}
    assert sources == set(BUILDERS) == set(assets.catalog().builders)
    keys = {case.key for case in CASES.values()}
    for key in keys:
        (packer,) = parsed(FILES[f"plugins.{key}.pkr.hcl"])["packer"]
        ((name, plugin),) = packer["required_plugins"][0].items()
        assert name == key
        assert plugin["source"] == f"github.com/hashicorp/{key}"
        assert re.match(r"^(= [\d.]+|>= [\d.]+, < [\d.]+)$", plugin["version"]), "a plugin without an upper bound"


def test_only_the_plugin_files_ask_for_plugins() -> None:
    # Packer 1.6.6 refuses the block, and is given the folder without these files.
    assert {name for name, text in FILES.items() if "required_plugins" in text} == {
        name for name in FILES if name.startswith("plugins.")
    }
    assert not [name for name, text in FILES.items() if "required_version" in text]


def test_one_file_of_values_and_no_secret_in_it() -> None:
    # Between several, the order differs from Packer to Packer.
    secret = {name for name, body in declared_variables().items() if body.get("sensitive")}
    for builder in BUILDERS:
        files = folder_of(with_builder(builder))
        assert [path for path in files if ".auto.pkrvars." in path] == ["demo.auto.pkrvars.json"]
        assert not secret & set(variables_of(with_builder(builder)))
    assert secret == {"azure_client_secret", "vsphere_password"}


def test_every_setting_a_script_reads_is_emitted() -> None:
    text = folder_of(spec())["image.env"].decode()
    settings = {line.partition("=")[0] for line in text.splitlines()}
    assert all(len(shlex.split(line)) == 1 for line in text.splitlines())
    scripts = "".join(path.read_text() for path in (PACKER / "scripts").glob("*.sh"))
    known = "|".join(sorted(settings))
    assert set(re.findall(rf"\$\{{?({known})\b", scripts)), "no script reads any setting"


def test_no_template_interpolation_in_inline_commands() -> None:
    # Packer would replace it in silence: `{{ .Foo }}` becomes `<no value>`.
    for name, text in FILES.items():
        for block in re.findall(r"inline\s*=\s*\[(.*?)\]", text, re.DOTALL):
            assert "{{" not in block, name


@pytest.mark.parametrize("builder", [name for name in BUILDERS if name not in {"qemu", "vsphere-clone"}])
def test_user_data_comes_from_a_file(builder: str) -> None:
    # A text in the template would go through Packer's own interpolation first.
    source = source_of(builder)
    assert not {"user_data", "custom_data", "startup_script_file"} & set(source)
    files = {"custom_data_file", "user_data_file", "metadata_files"} & set(source)
    assert [("local.seed" in str(source[name])) for name in files] == [True]


@pytest.mark.parametrize("builder", BUILDERS)
def test_the_build_key_is_our_own_and_leaves(builder: str) -> None:
    source = source_of(builder)
    assert source["ssh_private_key_file"] == "${local.build_key}"
    assert source["ssh_clear_authorized_keys"] is True
    assert not [name for name in source if "keypair" in name or "temporary_key" in name]


# What must not be left to the builder, for it would make one that is open, or in another place than was meant.
DEMANDED = {
    "alicloud-ecs": {"vpc_id", "vswitch_id", "security_group_id"},
    "amazon-ebs": {"subnet_id", "security_group_ids"},
    "googlecompute": {"subnetwork"},
    "azure-arm": {
        "build_resource_group_name",
        "virtual_network_name",
        "virtual_network_subnet_name",
        "managed_image_resource_group_name",
    },
    "openstack": {"security_groups"},
}


@pytest.mark.parametrize("builder", DEMANDED)
def test_a_setting_that_is_empty_fails(builder: str) -> None:
    source = source_of(builder)
    assert {name for name, value in source.items() if "element(compact(" in str(value)} == DEMANDED[builder]


@pytest.mark.parametrize(
    "builder", [name for name in BUILDERS if f"{CASES[name].key}_public_ip" in declared_variables()]
)
def test_no_public_address_unless_it_is_asked_for(builder: str) -> None:
    name = f"{CASES[builder].key}_public_ip"
    assert declared_variables()[name]["default"] is False
    assert variables_of(with_builder(builder))[name] is False
    asked = with_builder(builder, privateAddress=False, sessionManager=None)
    assert variables_of(asked)[name] is True


def test_amazon_is_closed_and_encrypted() -> None:
    source = source_of("amazon-ebs")
    assert source["ami_groups"] == []
    assert source["imds_support"] == "v2.0"
    (metadata,) = source["metadata_options"]
    assert (metadata["http_tokens"], metadata["http_put_response_hop_limit"]) == ("required", 1)
    assert {"tags", "run_tags", "snapshot_tags", "run_volume_tags"} <= set(source)
    usual = variables_of(with_builder("amazon-ebs", shareAccounts=None, shareOrganizations=None))
    assert usual["amazon_encrypted"] is True
    assert usual["amazon_share_accounts"] == usual["amazon_share_organizations"] == []
    (disk,) = source["launch_block_device_mappings"]
    # Packer 1.6.6 takes no gp3 disk without them; these are what every gp3 disk has.
    assert (disk["volume_type"], disk["iops"], disk["throughput"]) == ("gp3", 3000, 125)


def test_alicloud_makes_no_second_copy_of_an_image_that_is_not_encrypted() -> None:
    # The plugin tells false from nothing: with false it copies the image in its own region, without tags and family.
    assert source_of("alicloud-ecs")["image_encrypted"] == "${var.alicloud_encrypted ? true : null}"
    assert source_of("amazon-ebs")["encrypt_boot"] == "${var.amazon_encrypted ? true : null}"


def test_alicloud_names_every_copy() -> None:
    source = source_of("alicloud-ecs")
    assert source["image_copy_regions"] == "${var.alicloud_copy_regions}"
    assert source["image_copy_names"] == "${[for region in var.alicloud_copy_regions : var.image_name]}"


def test_alicloud_leaves_no_agent_and_no_force() -> None:
    source = source_of("alicloud-ecs")
    assert source["security_enhancement_strategy"] == "Deactive"
    assert not [name for name in source if "force" in name]
    assert {"tags", "run_tags", "target_image_family", "image_family"} <= set(source)
    assert (
        parsed(FILES["plugins.alicloud.pkr.hcl"])["packer"][0]["required_plugins"][0]["alicloud"]["version"]
        == "= 1.1.2"
    )


def test_alicloud_has_nothing_that_came_after_the_last_release() -> None:
    assert not [name for name in source_of("alicloud-ecs") if "kms" in name]


def test_alicloud_pays_for_a_public_address_by_traffic() -> None:
    # Regions outside China know no other way, and it wants a bandwidth.
    source = source_of("alicloud-ecs")
    assert source["internet_charge_type"] == "PayByTraffic"
    assert source["internet_max_bandwidth_out"] == "${var.alicloud_public_ip ? 10 : 0}"
    assert source["ssh_private_ip"] == "${var.alicloud_public_ip == false}"


@pytest.mark.parametrize(("builder", "tags"), [("azure-arm", "azure_tags"), ("openstack", "metadata")])
def test_no_slash_in_a_tag_where_none_is_allowed(builder: str, tags: str) -> None:
    assert "local.dashed_tags" in source_of(builder)[tags]
    assert 'replace(name, "/", "-")' in FILES["locals.pkr.hcl"]


@pytest.mark.parametrize("builder", [name for name in BUILDERS if name != "qemu"])
def test_the_image_carries_its_fingerprint(builder: str) -> None:
    marks = ("local.tags", "local.dashed_tags", "local.googlecompute_labels", "jsonencode(local.stamps)")
    assert any(mark in str(value) for value in source_of(builder).values() for mark in marks)


def test_vsphere_leaves_no_seed_in_the_template() -> None:
    source = source_of("vsphere-clone")
    assert source["remove_cdrom"] is True
    assert source["cd_label"] == "cidata"
    assert "configuration_parameters" not in source
    assert "insecure_connection" not in source


def test_openstack_s_image_is_private() -> None:
    assert source_of("openstack")["image_visibility"] == "private"


def test_the_cloud_s_own_account_is_not_on_the_building_machine() -> None:
    assert source_of("googlecompute")["disable_default_service_account"] is True
    assert "ecs_ram_role_name" not in source_of("alicloud-ecs")


def test_the_bundle_reaches_every_builder_that_has_no_disc_for_it() -> None:
    (build,) = parsed(FILES["build.pkr.hcl"])["build"]
    provisioners = [body for block in build["provisioner"] for body in block.values()]
    assert [body["except"] for body in provisioners if "bundle_source" in str(body.get("source"))] == [["qemu.node"]]
    removed = [body["except"] for body in provisioners if "remove_build_user" in str(body.get("inline"))]
    assert removed == [["qemu.node", "vsphere-clone.node"]]
    # These two remove it with the power.
    for builder in ("qemu", "vsphere-clone"):
        assert source_of(builder)["shutdown_command"] == "${local.power_off}"
