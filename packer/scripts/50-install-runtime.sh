#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

readonly work=/var/tmp/imagegen
# shellcheck source=/dev/null
source "$work/image.env"

readonly source=$work/source

umask 022
install --mode=0755 -D --target-directory=/usr/local/bin "$source"/bin/{containerd,containerd-shim-runc-v2,ctr}
if [[ -e $source/bin/runc ]]; then
  install --mode=0755 -D --target-directory=/usr/local/sbin "$source/bin/runc"
fi
install --mode=0755 -D --target-directory=/opt/cni/bin "$source"/cni/*
mkdir -p /etc/cni/net.d /etc/containerd/conf.d /etc/containerd/certs.d
systemctl enable --quiet containerd.service
systemctl restart containerd.service
