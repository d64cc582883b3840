#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

readonly work=/var/tmp/imagegen
# shellcheck source=/dev/null
source "$work/image.env"

# On a disc for the qemu builder, uploaded for a cloud; the folder's name on the disc is the user's own.
find_bundle() {
  if [[ -e $work/bundle/bundle.json ]]; then
    echo "$work/bundle"
    return
  fi
  mkdir -p /run/imagegen-disc
  mountpoint -q /run/imagegen-disc || mount -o ro /dev/disk/by-label/cidata /run/imagegen-disc
  dirname "$(find /run/imagegen-disc -maxdepth 2 -name bundle.json -print -quit)"
}

bundle=$(find_bundle)
python3 "$work/verify" bundle "$bundle" --sha256="$BUNDLE_SHA256" \
  --architecture="$ARCHITECTURE" --kubernetes="$KUBERNETES_VERSION"
ln -sfn "$bundle" "$work/source"
