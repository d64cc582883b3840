#!/usr/bin/env bash
# RHEL, those made like it, and Alibaba Cloud Linux. What dnf is told to use lies outside the image.

: "${work:?}"
readonly sources=/run/imagegen-sources

prepare_family() {
  relax_selinux
  choose_cgroups
}

# kubeadm's page asks for it; where it is off, it stays off.
relax_selinux() {
  if [[ -e /etc/selinux/config ]]; then
    sed -i 's/^SELINUX=enforcing/SELINUX=permissive/' /etc/selinux/config
  fi
  if command -v getenforce >/dev/null && [[ $(getenforce) == Enforcing ]]; then
    setenforce 0
  fi
}

# Takes effect when the image boots; the kubelet of the newest minors does not start with v1.
choose_cgroups() {
  if [[ $(stat --file-system --format=%T /sys/fs/cgroup) != cgroup2fs ]]; then
    grubby --update-kernel=ALL --args=systemd.unified_cgroup_hierarchy=1
  fi
}

run_dnf() {
  dnf --assumeyes --quiet --setopt=reposdir="$sources" --setopt=install_weak_deps=False --setopt=retries=5 "$@"
}

gathered_packages() {
  compgen -G "$work/source/packages/*.rpm" || true
}

# Where packages were gathered, from a bundle or by a lock, there are no others: they come with all that they need.
open_sources() {
  local file
  rm -rf "$sources"
  mkdir -p "$sources"
  [[ $SOURCE != bundle && -z $(gathered_packages) ]] || return 0
  cp /etc/yum.repos.d/*.repo "$sources" 2>/dev/null || true
  [[ -n ${IMAGEGEN_MIRRORS-}$MIRRORS ]] || return 0
  for file in "$sources"/*.repo; do
    [[ -f $file ]] || continue
    # A list of mirrors would win over the address that is replaced.
    sed -i -E 's/^(mirrorlist|metalink)=/#&/; s/^# ?baseurl=/baseurl=/' "$file"
    mirror_file "$file"
  done
}

# add_vendors: the vendors' repositories, each with its key and no other one.
add_vendors() {
  local name url
  for name in $REPOSITORIES; do
    url=REPOSITORY_${name^^}_URL
    fetch_key "$name" "$sources/$name.asc"
    printf '%s\n' "[imagegen-$name]" "name=$name" "baseurl=$(mirrored "${!url}")" enabled=1 gpgcheck=1 \
      "gpgkey=file://$sources/$name.asc" >"$sources/imagegen-$name.repo"
  done
}

# install_packages NAME...: of gathered packages, which have no index, all in one transaction.
install_packages() {
  local gathered=()
  mapfile -t gathered < <(gathered_packages)
  if ((${#gathered[@]})); then
    run_dnf install "${gathered[@]}"
  else
    run_dnf install "$@"
  fi
}

# install_version VERSION NAME...: whatever the packager's revision of it is. Gathered ones came with all others, and
# dnf does nothing by name where there is no repository.
install_version() {
  local version=$1
  shift
  if [[ -n $(gathered_packages) ]]; then
    rpm --query "${@/%/-$version}" >/dev/null
  else
    run_dnf install "${@/%/-$version}"
  fi
}

# The folders that user-data writes time servers into; Debian's configuration reads them by itself.
adapt_packages() {
  local line
  mkdir -p /etc/chrony/conf.d /etc/chrony/sources.d
  for line in 'confdir /etc/chrony/conf.d' 'sourcedir /etc/chrony/sources.d'; do
    grep --quiet --line-regexp --fixed-strings "$line" /etc/chrony.conf || echo "$line" >>/etc/chrony.conf
  done
}

# By what is installed: what the repositories have may be newer.
hold_packages() {
  local name
  for name in "$@"; do
    run_dnf versionlock add "$(rpm --query --queryformat='%{NAME}-%{EPOCHNUM}:%{VERSION}-%{RELEASE}' "$name")" >/dev/null
  done
}

# dnf has put the vendors' keys into rpm's own database.
close_sources() {
  local name fingerprint short
  for name in $REPOSITORIES; do
    fingerprint=REPOSITORY_${name^^}_FINGERPRINT
    short=${!fingerprint: -8}
    if rpm --query "gpg-pubkey-${short,,}" >/dev/null; then
      rpm --erase --allmatches "gpg-pubkey-${short,,}"
    fi
  done
  rm -rf "$sources"
}
