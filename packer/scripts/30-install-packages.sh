#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

readonly work=/var/tmp/imagegen
# shellcheck source=/dev/null
source "$work/image.env"

readonly repository=/run/imagegen-packages

# apt chooses by name from a repository that consists of the bundle's packages, and knows no other.
write_repository() {
  local package
  mkdir -p "$repository"
  ln -sfn "$work/source/packages" "$repository/packages"
  cd "$repository"
  for package in packages/*.deb; do
    dpkg-deb --field "$package"
    echo "Filename: $package"
    echo "Size: $(stat --format=%s "$package")"
    echo "SHA256: $(sha256sum "$package" | cut --delimiter=' ' --fields=1)"
    echo
  done >Packages
  echo "deb [trusted=yes] file:$repository ./" >sources.list
  cd /
}

apt_get() {
  apt-get --quiet=2 -oDPkg::Lock::Timeout=300 -oDir::Etc::SourceList="$repository/sources.list" \
    -oDir::Etc::SourceParts=/dev/null -oDpkg::Use-Pty=0 -oDpkg::Options::=--force-unsafe-io "$@"
}

write_repository
apt_get update
read -r -a wanted <<<"$PACKAGES"
DEBIAN_FRONTEND=noninteractive apt_get install --assume-yes --no-install-recommends "${wanted[@]}"
rm -r "$repository"
