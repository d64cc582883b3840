#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

readonly work=/var/tmp/imagegen
# shellcheck source=/dev/null
source "$work/image.env"

# Pinned, since a node without a registry cannot get back what the kubelet's image collection takes away.
find "$work/source/images" -name '*.tar' -print0 |
  xargs --null --max-args=1 --max-procs=2 ctr --namespace=k8s.io images import \
    --local --discard-unpacked-layers --label=io.cri-containerd.pinned=pinned

if [[ -z $(ctr --namespace=k8s.io images list --quiet "name==$SANDBOX_IMAGE") ]]; then
  echo "the bundle lacks the sandbox image $SANDBOX_IMAGE" >&2
  exit 1
fi
