#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

readonly hooks=/var/tmp/imagegen/hooks

# Whatever an upload made of their modes: everything there but the note about it is a program.
find "$hooks" -type f ! -name README -print0 | sort --zero-terminated |
  while IFS= read -r -d '' hook; do
    echo "hook ${hook##*/}"
    chmod 0700 "$hook"
    "$hook" </dev/null
  done
