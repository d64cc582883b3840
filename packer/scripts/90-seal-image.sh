#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

readonly work=/var/tmp/imagegen
# shellcheck source=/dev/null
source "$work/image.env"
# shellcheck source=/dev/null
source "$work/scripts/family/$FAMILY.sh"

stop_services() {
  systemctl stop kubelet.service containerd.service
  ! mountpoint -q /run/imagegen-disc || umount /run/imagegen-disc
}

forget_cloud_data() {
  cloud-init clean --logs --seed
  rm -rf /var/lib/cloud/* /etc/cloud/cloud-init.disabled
  rm -f /etc/netplan/50-cloud-init.yaml /etc/network/interfaces.d/50-cloud-init \
    /etc/systemd/network/10-cloud-init-* /etc/NetworkManager/system-connections/cloud-init-* \
    /etc/udev/rules.d/70-persistent-net.rules
  rm -rf /var/lib/dhcp/* /var/lib/dhclient/* /var/lib/NetworkManager/*lease* /run/systemd/netif/leases/*
}

# The seed's service would write a new one when the machine is switched off.
# An empty machine-id gets a new value at boot; a missing or "uninitialized" one would also reset all units to presets.
forget_identity() {
  systemctl stop systemd-random-seed.service
  : >/etc/machine-id
  rm -f /var/lib/dbus/machine-id /etc/ssh/ssh_host_* \
    /var/lib/systemd/random-seed /var/lib/systemd/credential.secret
  : >/etc/hostname
  printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n' >/etc/hosts
  rm -rf /root/.ssh "/home/$BUILD_USER/.ssh/authorized_keys"
}

forget_node() {
  rm -rf /var/lib/kubelet/* /var/lib/etcd /etc/kubernetes/pki /etc/kubernetes/*.conf
  rm -f /etc/imagegen/node.json
}

forget_history() {
  journalctl --relinquish-var
  rm -rf /var/log/journal/*
  find /var/log -type f \( -name '*.gz' -o -name '*.[0-9]' -o -name '*.old' \) -delete
  find /var/log -type f -exec truncate --size=0 {} +
  find /tmp /var/tmp -mindepth 1 -delete
  rm -rf /var/lib/imagegen-build /root/.bash_history /root/.cache /root/.wget-hsts "/home/$BUILD_USER/.bash_history"
}

stop_services
forget_packages
forget_cloud_data
forget_identity
forget_node
forget_history
fstrim --all || echo "this disk takes no trim" >&2
sync
