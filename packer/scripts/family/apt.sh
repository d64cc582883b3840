#!/usr/bin/env bash
# Debian and Ubuntu. What apt is told to use lies outside the image, whose own sources stay as they are.

: "${work:?}"
readonly sources=/run/imagegen-sources

prepare_family() { :; }

apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 -oDPkg::Lock::Timeout=300 -oAcquire::Retries=5 \
    -oDir::Etc::SourceList="$sources/sources.list" -oDir::Etc::SourceParts="$sources/parts" -oDpkg::Use-Pty=0 \
    -oDpkg::Options::=--force-unsafe-io -oDpkg::Options::=--force-confdef -oDpkg::Options::=--force-confold "$@"
}

# Where packages were gathered, from a bundle or by a lock, there are no others: they come with all that they need.
open_sources() {
  rm -rf "$sources"
  mkdir -p "$sources/parts"
  : >"$sources/sources.list"
  if compgen -G "$work/source/packages/*.deb" >/dev/null; then
    write_repository
  elif [[ $SOURCE != bundle ]]; then
    copy_sources
  fi
  update_lists
}

copy_sources() {
  local file
  cp /etc/apt/sources.list "$sources/sources.list" 2>/dev/null || true
  cp /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources "$sources/parts" 2>/dev/null || true
  # Debian's cloud images name their mirrors in files of their own.
  cp --recursive /etc/apt/mirrors "$sources/mirrors" 2>/dev/null || true
  for file in "$sources/sources.list" "$sources"/parts/* "$sources"/mirrors/*; do
    [[ -f $file ]] || continue
    sed -i "s|mirror+file:\(//\)\?/etc/apt/mirrors/|mirror+file:$sources/mirrors/|g" "$file"
    mirror_file "$file"
  done
}

# apt chooses by name from a repository that consists of the gathered packages.
write_repository() {
  local package
  mkdir -p "$sources/gathered"
  ln -sfn "$work/source/packages" "$sources/gathered/packages"
  for package in "$work"/source/packages/*.deb; do
    dpkg-deb --field "$package"
    echo "Filename: packages/${package##*/}"
    echo "Size: $(stat --format=%s "$package")"
    echo "SHA256: $(sha256sum "$package" | cut --delimiter=' ' --fields=1)"
    echo
  done >"$sources/gathered/Packages"
  echo "deb [trusted=yes] file:$sources/gathered ./" >"$sources/parts/imagegen-gathered.list"
}

# The timeout above is for dpkg's lock alone.
update_lists() {
  local try
  for try in 1 2 3 4 5; do
    ! apt_get update || return 0
    echo "try $try: apt has no lists" >&2
    sleep "$try"
  done
  return 1
}

# add_vendors: the vendors' repositories, each with its key and no other one.
add_vendors() {
  local name url suite
  for name in $REPOSITORIES; do
    url=REPOSITORY_${name^^}_URL suite=REPOSITORY_${name^^}_SUITE
    fetch_key "$name" "$sources/$name.asc"
    echo "deb [arch=$ARCHITECTURE signed-by=$sources/$name.asc] $(mirrored "${!url}") ${!suite}" \
      >"$sources/parts/imagegen-$name.list"
  done
  update_lists
}

install_packages() {
  apt_get install --assume-yes --no-install-recommends "$@"
}

# install_version VERSION NAME...: whatever the packager's revision of it is.
install_version() {
  local version=$1
  shift
  apt_get install --assume-yes --no-install-recommends --allow-change-held-packages --allow-downgrades \
    "${@/%/=$version-*}"
}

adapt_packages() { :; }

hold_packages() {
  apt-mark hold "$@" >/dev/null
}

close_sources() {
  rm -rf "$sources"
}
