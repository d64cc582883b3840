#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

readonly work=/var/tmp/imagegen
# shellcheck source=/dev/null
source "$work/image.env"
# shellcheck source=common/mirrors.sh
source "$work/scripts/common/mirrors.sh"
# shellcheck source=/dev/null
source "$work/scripts/family/$FAMILY.sh"

readonly source=$work/source

# install_programs TARGET SOURCE NAME...
install_programs() {
  local target=$1 from=$2 name
  shift 2
  for name in "$@"; do
    install --mode=0755 -D --target-directory="$target" "$from/$name"
  done
}

# Packages bring runc and the plugins along; of files, what the bundle or the lock has.
install_runtime_files() {
  install_programs /usr/local/bin "$source/bin" "${runtime[@]}"
  if [[ -e $source/bin/runc ]]; then
    install_programs /usr/local/sbin "$source/bin" runc
  fi
  if [[ -e $source/bin/crictl ]]; then
    install_programs /usr/local/bin "$source/bin" crictl
  fi
  install_programs /opt/cni/bin "$source/cni" ${plugins[@]+"${plugins[@]}"}
}

read -r -a runtime <<<"$RUNTIME_BINARIES"
read -r -a plugins <<<"$CNI_PLUGINS"
read -r -a packages <<<"$RUNTIME_PACKAGES"

umask 022
if ((${#packages[@]})); then
  [[ -e $source ]] || add_vendors
  install_version "$CONTAINERD_VERSION" "${packages[@]}"
else
  install_runtime_files
fi
mkdir -p /etc/cni/net.d /etc/containerd/conf.d /etc/containerd/certs.d
systemctl restart containerd.service
