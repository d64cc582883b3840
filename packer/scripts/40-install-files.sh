#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

readonly work=/var/tmp/imagegen
# shellcheck source=/dev/null
source "$work/image.env"

# Modes are decided here: what an upload or a checkout made of them says nothing.
install_files() {
  find "$work/files" -type d -exec chmod 0755 {} +
  find "$work/files" -type f -exec chmod 0644 {} +
  find "$work/files" -type f -path '*bin/*' -exec chmod 0755 {} +
  cp --recursive --no-target-directory --remove-destination "$work/files" /
}

# Kernels before 4.19 have a module for each version of IP in place of the common one.
name_conntrack_module() {
  local name=nf_conntrack
  if ! modprobe --dry-run --quiet "$name" && modprobe --dry-run --quiet nf_conntrack_ipv4; then
    name=nf_conntrack_ipv4
  fi
  printf '%s\n' '# The name that this kernel has for it.' "$name" >/etc/modules-load.d/imagegen-conntrack.conf
}

write_stamp() {
  local index=$work/source/bundle.json
  "$PYTHON" - "$PACKER_BUILDER_TYPE" "$SOURCE" "$([[ ! -e $index ]] || sha256sum "$index")" <<'END'
import datetime, json, pathlib, sys

stamp = pathlib.Path("/etc/imagegen/image.json")
content = json.loads(stamp.read_text())
content["builtBy"] = {
    "builder": sys.argv[1],
    "at": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "source": sys.argv[2],
    "bundle": (sys.argv[3].split() or [""])[0],
}
stamp.write_text(json.dumps(content, indent=2) + "\n")
END
}

umask 022
install_files
name_conntrack_module
write_stamp
systemctl daemon-reload
systemctl restart systemd-modules-load.service
sysctl --quiet --system
