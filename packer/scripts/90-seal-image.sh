#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

readonly work=/var/tmp/imagegen
# shellcheck source=/dev/null
source "$work/image.env"

has() {
  command -v "$1" >/dev/null
}

# edit EXPRESSION FILE...: as sed does, of the files that are there.
edit() {
  local expression=$1 file
  shift
  for file in "$@"; do
    [[ ! -f $file ]] || sed --in-place --regexp-extended "$expression" "$file"
  done
}

# auditd would write on into a file that is emptied under it, and refuses to be stopped by systemctl.
# The seed's service, and chronyd with its drift, would write what they know when the machine is switched off.
stop_services() {
  systemctl stop kubelet.service containerd.service systemd-random-seed.service 'chrony*.service'
  if pidof auditd >/dev/null; then
    systemctl kill auditd.service
    timeout 20 bash -c 'while pidof auditd >/dev/null; do sleep 0.2; done'
  fi
  ! mountpoint -q /run/imagegen-disc || umount /run/imagegen-disc
}

forget_packages() {
  ! has apt-get || apt-get clean
  ! has dnf || dnf --quiet clean all
  ! has subscription-manager || subscription-manager clean
  rm -rf \
    /var/lib/apt/lists/* \
    /var/cache/debconf/*-old \
    /var/lib/dpkg/*-old \
    /var/cache/dnf/* \
    /var/cache/yum/* \
    /var/lib/dnf/history* \
    /var/lib/yum/history/*
}

# The installers' files would pin "no data source" or "no network" on every clone.
forget_cloud_data() {
  cloud-init clean --logs --seed
  rm -rf \
    /var/lib/cloud/* \
    /etc/cloud/cloud-init.disabled \
    /etc/cloud/ds-identify.cfg \
    /etc/cloud/cloud.cfg.d/99-installer.cfg \
    /etc/cloud/cloud.cfg.d/90-installer-network.cfg \
    /etc/cloud/cloud.cfg.d/*subiquity-disable-cloudinit-networking.cfg \
    /etc/cloud/cloud.cfg.d/*curtin*.cfg \
    /etc/ssh/sshd_config.d/50-cloud-init.conf \
    /var/log/installer
}

# The build machine's addresses and leases, and the ways out of the network that it stood in.
forget_network() {
  rm -rf \
    /etc/netplan/00-installer-config*.yaml \
    /etc/netplan/01-netcfg.yaml \
    /etc/netplan/50-cloud-init.yaml \
    /etc/network/interfaces.d/50-cloud-init* \
    /etc/systemd/network/10-cloud-init-* \
    /etc/NetworkManager/conf.d/*-cloud-init-* \
    /etc/NetworkManager/system-connections/cloud-init-* \
    /etc/udev/rules.d/70-persistent-net.rules \
    /var/lib/dhcp/* \
    /var/lib/dhclient/* \
    /var/lib/dhcpcd/* \
    /var/lib/NetworkManager/*lease* \
    /var/lib/NetworkManager/secret_key \
    /run/systemd/netif/leases/* \
    /etc/apt/apt.conf.d/*proxy* \
    /etc/systemd/system/containerd.service.d/*proxy*.conf \
    /etc/pip.conf \
    /root/.config/pip \
    /root/.pip
  edit '/^(HWADDR|UUID)=/d' /etc/sysconfig/network-scripts/ifcfg-*
  edit '/^uuid=/d' /etc/NetworkManager/system-connections/*
  edit '/^proxy(_[a-z_]+)? *=/d' /etc/dnf/dnf.conf /etc/yum.conf
  edit '/^(https?|ftp|all|no)_proxy=/Id' /etc/environment
  [[ -L /etc/resolv.conf ]] || : >/etc/resolv.conf
}

# An empty machine-id gets a new value at boot; a missing or "uninitialized" one would also reset all units to presets.
forget_identity() {
  : >/etc/machine-id
  : >/etc/hostname
  printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n' >/etc/hosts
  rm -rf \
    /var/lib/dbus/machine-id \
    /etc/ssh/ssh_host_* \
    /var/lib/systemd/random-seed \
    /var/lib/private/systemd/random-seed \
    /boot/efi/loader/random-seed \
    /boot/loader/random-seed \
    /efi/loader/random-seed \
    /var/lib/systemd/credential.secret \
    /var/lib/systemd/timers/* \
    /var/lib/chrony/*drift \
    /var/lib/containerd/*introspection/uuid \
    /root/.ssh \
    "/home/$BUILD_USER/.ssh/authorized_keys" \
    /var/lib/kubelet/* \
    /var/lib/etcd \
    /etc/kubernetes/pki \
    /etc/kubernetes/*.conf \
    /etc/imagegen/node.json
}

forget_history() {
  journalctl --relinquish-var
  rm -rf \
    /var/log/journal/* \
    /var/lib/imagegen-build \
    /{root,home/*}/.*_history \
    /{root,home/*}/.ansible \
    /{root,home/*}/.cache \
    /{root,home/*}/.lesshst \
    /{root,home/*}/.viminfo \
    /{root,home/*}/.wget-hsts \
    /root/anaconda-ks.cfg \
    /root/original-ks.cfg \
    /swap.img \
    /swapfile
  find /var/log -type f \( -name '*.gz' -o -name '*.xz' -o -name '*.[0-9]' -o -name '*.old' -o -name '*-20[0-9]*' \) -delete
  find /var/log -type f -exec truncate --size=0 {} +
  find /tmp /var/tmp -mindepth 1 -delete
}

stop_services
forget_packages
forget_cloud_data
forget_network
forget_identity
forget_history
fstrim --all || echo "this disk takes no trim" >&2
sync
