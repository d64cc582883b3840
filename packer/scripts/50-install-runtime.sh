#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

readonly work=/var/tmp/imagegen
# shellcheck source=/dev/null
source "$work/image.env"

readonly source=$work/source

# install_programs TARGET SOURCE NAME...
install_programs() {
  local target=$1 from=$2 name
  shift 2
  for name in "$@"; do
    install --mode=0755 -D --target-directory="$target" "$from/$name"
  done
}

read -r -a runtime <<<"$RUNTIME_BINARIES"
read -r -a plugins <<<"$CNI_PLUGINS"

umask 022
install_programs /usr/local/bin "$source/bin" "${runtime[@]}"
if [[ -e $source/bin/runc ]]; then
  install_programs /usr/local/sbin "$source/bin" runc
fi
install_programs /opt/cni/bin "$source/cni" ${plugins[@]+"${plugins[@]}"}
mkdir -p /etc/cni/net.d /etc/containerd/conf.d /etc/containerd/certs.d
systemctl restart containerd.service
