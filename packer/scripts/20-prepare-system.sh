#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

readonly work=/var/tmp/imagegen
# shellcheck source=/dev/null
source "$work/image.env"
# shellcheck source=/dev/null
source "$work/scripts/family/$FAMILY.sh"

# Masked, not disabled: a disabled timer comes back with systemd's presets, and takes the package manager's lock at
# first boot. Before the first call of the package manager, since they take it now, too. All at once: systemd reads
# everything anew for each call.
mask_units() {
  local active
  systemctl mask --quiet "$@"
  mapfile -t active < <(systemctl list-units --state=active,activating --no-legend --plain "$@" | cut -d' ' -f1)
  ((${#active[@]} == 0)) || systemctl stop "${active[@]}"
}

turn_swap_off() {
  local file
  swapoff --all
  while read -r file; do
    [[ ! -f $file ]] || rm "$file"
  done < <(awk '!/^#/ && $3 == "swap" { print $1 }' /etc/fstab)
  sed -i -E '/^[^#]\S*\s+\S+\s+swap\s/d' /etc/fstab
}

read -r -a masked <<<"$MASKED_UNITS"
mask_units "${masked[@]}"
turn_swap_off
prepare_family
