#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

readonly work=/var/tmp/imagegen
# shellcheck source=/dev/null
source "$work/image.env"
"$PYTHON" "$work/verify" report /var/lib/imagegen-build/report.json
