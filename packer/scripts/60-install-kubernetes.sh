#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

readonly work=/var/tmp/imagegen
# shellcheck source=/dev/null
source "$work/image.env"

read -r -a programs <<<"$KUBERNETES_BINARIES"

umask 022
for program in "${programs[@]}"; do
  install --mode=0755 --target-directory=/usr/bin "$work/source/bin/$program"
done
