#!/usr/bin/env bash
# What is asked in place of an address: image.env's MIRRORS, and IMAGEGEN_MIRRORS, which whoever runs Packer gives.

: "${work:?}"

# mirrored ADDRESS: the given ones go before the image's own; in each list the longest beginning that fits decides.
mirrored() {
  local list pair old longest='' instead=''
  for list in "${IMAGEGEN_MIRRORS-}" "$MIRRORS"; do
    for pair in $list; do
      old=${pair%%=*}
      if [[ $1 == "$old"* && ${#old} -gt ${#longest} ]]; then
        longest=$old instead=${pair#*=}
      fi
    done
    [[ -z $longest ]] || break
  done
  echo "$instead${1#"$longest"}"
}

# mirror_file FILE: each address in a file of sources. A `*` stands for one label of a host's name.
mirror_file() {
  local text pair old
  shopt -s extglob
  text=$(<"$1")
  for pair in ${IMAGEGEN_MIRRORS-} $MIRRORS; do
    old=${pair%%=*}
    if [[ $old == *'*'* ]]; then
      # shellcheck disable=SC2295  # a pattern it is to be
      text=${text//${old/\*/+([!\/.[:space:]])}/"${pair#*=}"}
    else
      text=${text//"$old"/"${pair#*=}"}
    fi
  done
  printf '%s\n' "$text" >"$1"
}

# fetch_key NAME FILE: the signing key of a vendor's repository, refused unless it has the planned fingerprint.
fetch_key() {
  local key=REPOSITORY_${1^^}_KEY fingerprint=REPOSITORY_${1^^}_FINGERPRINT
  "$PYTHON" "$work/verify" key "$(mirrored "${!key}")" "$2" --fingerprint="${!fingerprint}"
}
