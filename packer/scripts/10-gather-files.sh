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

# use_folder FOLDER SHA256: everything in it is as its bundle.json says, and that is for this image.
use_folder() {
  "$PYTHON" "$work/verify" bundle "$1" --sha256="$2" --architecture="$ARCHITECTURE" --kubernetes="$KUBERNETES_VERSION"
  ln -sfn "$1" "$work/source"
}

if [[ $SOURCE == bundle ]]; then
  if [[ -n $BUNDLE_URL ]]; then
    "$PYTHON" "$work/verify" download "$BUNDLE_URL" "$work/bundle" --sha256="$BUNDLE_SHA256" \
      --architecture="$ARCHITECTURE" --kubernetes="$KUBERNETES_VERSION"
  fi
  use_folder "$(find_bundle)" "$BUNDLE_SHA256"
elif [[ -e $work/lock.json ]]; then
  "$PYTHON" "$work/verify" fetch "$work/lock.json" "$work/bundle" --mirrors="${IMAGEGEN_MIRRORS-}" --mirrors="$MIRRORS" \
    --architecture="$ARCHITECTURE" --kubernetes="$KUBERNETES_VERSION" --source="$SOURCE"
  use_folder "$work/bundle" ''
elif [[ $SOURCE == binaries ]]; then
  echo "image.source is binaries, and there is no lock.json beside image.env: nothing says which files are the right ones" >&2
  exit 1
fi
