#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

readonly work=/var/tmp/imagegen
# shellcheck source=/dev/null
source "$work/image.env"

# Masked, not disabled: a disabled timer comes back with systemd's presets, and takes dpkg's lock at first boot.
read -r -a masked <<<"$MASKED_UNITS"
systemctl mask --now --quiet "${masked[@]}"

swapoff --all
sed -i -E '/^[^#]\S*\s+\S+\s+swap\s/d' /etc/fstab
