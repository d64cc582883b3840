#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

python3 /var/tmp/imagegen/verify report /var/lib/imagegen-build/report.json
