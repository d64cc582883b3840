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

# A network plugin's own manifest, for first boot to apply.
install_manifest() {
  local from=$work/source/manifests/$CNI_MANIFEST
  if [[ ! -e $from ]]; then
    echo "the image needs $CNI_MANIFEST for the pod network: \`imagegen lock\` pins it, and a bundle has it in manifests/" >&2
    return 1
  fi
  install -D --mode=0644 "$from" "/usr/local/lib/imagegen/cni/$CNI_MANIFEST"
}

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
if [[ -n $CNI_MANIFEST ]]; then
  install_manifest
fi
close_sources
