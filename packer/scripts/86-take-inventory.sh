#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

readonly work=/var/tmp/imagegen
# shellcheck source=/dev/null
source "$work/image.env"

"$PYTHON" "$work/verify" inventory "$work/declared.json" /var/lib/imagegen-build/inventory.json --bundle="$work/source"
