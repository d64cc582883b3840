#!/usr/bin/env bash
set -o errexit -o nounset -o pipefail

# Masked, not disabled: a disabled timer comes back with systemd's presets, and takes dpkg's lock at first boot.
systemctl mask --now --quiet apt-daily.timer apt-daily-upgrade.timer \
  apt-daily.service apt-daily-upgrade.service unattended-upgrades.service

swapoff --all
sed -i -E '/^[^#]\S*\s+\S+\s+swap\s/d' /etc/fstab
