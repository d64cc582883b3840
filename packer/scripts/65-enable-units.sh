#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

readonly work=/var/tmp/imagegen
# shellcheck source=/dev/null
source "$work/image.env"

read -r -a enabled <<<"$ENABLED_UNITS"
systemctl enable --quiet "${enabled[@]}"
