#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

readonly work=/var/tmp/imagegen
# shellcheck source=/dev/null
source "$work/image.env"

# Most come enabled by their packages; to enable such a one again runs System V's own tools, too.
read -r -a wanted <<<"$ENABLED_UNITS"
enabled=$(systemctl list-unit-files --state=enabled --no-legend --plain "${wanted[@]}")
missing=()
for unit in "${wanted[@]}"; do
  [[ $'\n'$enabled == *$'\n'"$unit "* ]] || missing+=("$unit")
done
((${#missing[@]} == 0)) || systemctl enable --quiet "${missing[@]}"
