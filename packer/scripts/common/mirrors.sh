#!/usr/bin/env bash
# What is asked in place of an address: image.env's MIRRORS, and IMAGEGEN_MIRRORS, which whoever runs Packer gives.

: "${work:?}"

# mirrored ADDRESS: of several beginnings that fit, the longest decides; of equal ones, the first.
mirrored() {
  local address=$1 pair old longest='' instead=''
  for pair in ${IMAGEGEN_MIRRORS-} $MIRRORS; do
    old=${pair%%=*}
    if [[ $address == "$old"* && ${#old} -gt ${#longest} ]]; then
      longest=$old instead=${pair#*=}
    fi
  done
  echo "$instead${address#"$longest"}"
}

# mirror_file FILE: each address in a file of sources.
mirror_file() {
  local text pair
  text=$(<"$1")
  for pair in ${IMAGEGEN_MIRRORS-} $MIRRORS; do
    text=${text//"${pair%%=*}"/"${pair#*=}"}
  done
  printf '%s\n' "$text" >"$1"
}

# fetch_key NAME FILE: the signing key of a vendor's repository, refused unless it has the planned fingerprint.
fetch_key() {
  local key=REPOSITORY_${1^^}_KEY fingerprint=REPOSITORY_${1^^}_FINGERPRINT
  "$PYTHON" "$work/verify" key "$(mirrored "${!key}")" "$2" --fingerprint="${!fingerprint}"
}
