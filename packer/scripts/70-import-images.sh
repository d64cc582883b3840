#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

readonly work=/var/tmp/imagegen
# shellcheck source=/dev/null
source "$work/image.env"
# shellcheck source=common/mirrors.sh
source "$work/scripts/common/mirrors.sh"

# Pinned, since a node without a registry cannot get back what the kubelet's image collection takes away.
readonly pin=io.cri-containerd.pinned=pinned

# again WORD COMMAND...: up to three times; the last argument stands for what it is about.
again() {
  local word=$1 try
  shift
  for try in 1 2 3; do
    ! "$@" >/dev/null || return 0
    echo "try $try: ${*: -1} was not $word" >&2
    sleep "$try"
  done
  return 1
}
export -f again

import_archives() {
  find "$work/source/images" -name '*.tar' -print0 |
    xargs --null --max-args=1 --max-procs=2 bash -c 'again "$@"' import imported ctr --namespace=k8s.io images import \
      --local --discard-unpacked-layers --label="$pin"
}

# What kubeadm will ask for, by its own word, and further manifests.
needed_images() {
  kubeadm config images list --kubernetes-version="v$KUBERNETES_VERSION" --image-repository="$IMAGE_REPOSITORY" \
    2>/dev/null
  printf '%s\n' "$SANDBOX_IMAGE" "$@"
}

# missing_images IMAGE...: those of the needed ones that are not here.
missing_images() {
  needed_images "$@" | sort --unique |
    comm -23 - <(ctr --namespace=k8s.io images list --quiet | sort --unique)
}

# pull_image IMAGE: by the lock's digest where there is a lock, from a mirror where there is one, under its own name.
pull_image() {
  local image=$1 from digest
  from=$(mirrored "$image")
  if [[ -e $work/lock.json ]]; then
    digest=$("$PYTHON" "$work/verify" digest "$work/lock.json" "$image")
    from=${from%:*}@$digest
  fi
  again pulled ctr --namespace=k8s.io images pull --local --hosts-dir=/etc/containerd/certs.d "$from"
  if [[ $from != "$image" ]]; then
    ctr --namespace=k8s.io images tag --force "$from" "$image" >/dev/null
    ctr --namespace=k8s.io images remove "$from" >/dev/null
  fi
  ctr --namespace=k8s.io images label "$image" "$pin" >/dev/null
}

read -r -a further <<<"$FURTHER_IMAGES"

if [[ -d $work/source/images ]]; then
  import_archives
fi
if [[ $PREPULL == true ]]; then
  for image in $(missing_images ${further[@]+"${further[@]}"}); do
    pull_image "$image"
  done
elif [[ $SOURCE == bundle ]]; then
  missing=$(missing_images)
  # A node without a registry would wait for what is not here.
  if [[ -n $missing ]]; then
    echo "the bundle lacks images that kubeadm needs: ${missing//$'\n'/ }" >&2
    exit 1
  fi
fi
