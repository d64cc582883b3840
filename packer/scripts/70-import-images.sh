#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

readonly work=/var/tmp/imagegen
# shellcheck source=/dev/null
source "$work/image.env"

# Pinned, since a node without a registry cannot get back what the kubelet's image collection takes away.
find "$work/source/images" -name '*.tar' -print0 |
  xargs --null --max-args=1 --max-procs=2 ctr --namespace=k8s.io images import \
    --local --discard-unpacked-layers --label=io.cri-containerd.pinned=pinned

# What kubeadm will ask for, by its own word; a node without a registry would wait for what is not here.
missing=$(kubeadm config images list --kubernetes-version="v$KUBERNETES_VERSION" \
  --image-repository="$IMAGE_REPOSITORY" 2>/dev/null |
  cat - <(echo "$SANDBOX_IMAGE") | sort --unique |
  comm -23 - <(ctr --namespace=k8s.io images list --quiet | sort --unique))
if [[ -n $missing ]]; then
  echo "the bundle lacks images that kubeadm needs: ${missing//$'\n'/ }" >&2
  exit 1
fi
