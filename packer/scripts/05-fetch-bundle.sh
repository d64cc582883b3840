#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

readonly work=/var/tmp/imagegen
# shellcheck source=/dev/null
source "$work/image.env"

if [[ -n $BUNDLE_URL ]]; then
  python3 "$work/verify" download "$BUNDLE_URL" "$work/bundle" --sha256="$BUNDLE_SHA256"
fi
