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

write_stamp() {
  python3 - "$PACKER_BUILDER_TYPE" "$(sha256sum "$work/source/bundle.json")" <<'END'
import datetime, json, pathlib, sys

stamp = pathlib.Path("/etc/imagegen/image.json")
content = json.loads(stamp.read_text())
content["builtBy"] = {
    "builder": sys.argv[1],
    "at": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "bundle": sys.argv[2].split()[0],
}
stamp.write_text(json.dumps(content, indent=2) + "\n")
END
}

umask 022
install_files
write_stamp
systemctl daemon-reload
systemctl restart systemd-modules-load.service
sysctl --quiet --system
