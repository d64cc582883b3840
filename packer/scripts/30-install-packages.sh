#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

readonly work=/var/tmp/imagegen
# shellcheck source=/dev/null
source "$work/image.env"
# shellcheck source=common/mirrors.sh
source "$work/scripts/common/mirrors.sh"
# shellcheck source=/dev/null
source "$work/scripts/family/$FAMILY.sh"

read -r -a wanted <<<"$PACKAGES"

open_sources
install_packages "${wanted[@]}"
adapt_packages
