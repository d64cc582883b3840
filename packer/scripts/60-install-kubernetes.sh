#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

readonly work=/var/tmp/imagegen
# shellcheck source=/dev/null
source "$work/image.env"

umask 022
install --mode=0755 --target-directory=/usr/bin "$work"/source/bin/{kubeadm,kubelet,kubectl}
systemctl enable --quiet kubelet.service
