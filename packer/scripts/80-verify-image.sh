#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

# Judged after it was fetched, so that a failed bake leaves its report behind.
readonly work=/var/tmp/imagegen
# shellcheck source=/dev/null
source "$work/image.env"
"$PYTHON" "$work/verify" image "$work/declared.json" /var/lib/imagegen-build/report.json
