#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

readonly work=/var/tmp/imagegen
# shellcheck source=/dev/null
source "$work/image.env"
# shellcheck source=common/mirrors.sh
source "$work/scripts/common/mirrors.sh"
# shellcheck source=/dev/null
source "$work/scripts/family/$FAMILY.sh"

read -r -a programs <<<"$KUBERNETES_BINARIES"
read -r -a packages <<<"$KUBERNETES_PACKAGES"
read -r -a held <<<"$HELD_PACKAGES"

umask 022
if ((${#packages[@]})); then
  install_version "$KUBERNETES_VERSION" "${packages[@]}"
  # Packages start what they bring.
  systemctl stop kubelet.service
else
  install --mode=0755 --target-directory=/usr/bin "${programs[@]/#/$work/source/bin/}"
fi
if ((${#held[@]})); then
  hold_packages "${held[@]}"
fi
close_sources
