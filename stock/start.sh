#!/bin/sh
# cloud-init's bootcmd, on every boot: the unit, what holds first boot back, and the units to mask are its words.
# None of them may name the folder with a slash behind it: first boot would take that for a secret that it cannot remove.
set -eu
state=/var/lib/imagegen
[ ! -e "$state/installed" ] || exit 0
# As imagegen-anew.service does in a baked image: what was not yet on the disk when power failed is written once more.
lost() { [ -e /etc/imagegen/node.json ] && [ ! -e "$state/received" ]; }
! lost || rm -f /var/lib/cloud/instance/sem/config_*
! lost || sed -i 's/\x00//g' /etc/hosts
cd /run/systemd/system
mkdir -p imagegen-bootstrap.service.d
printf %s "$1" >imagegen-install.service
printf %s "$2" >imagegen-bootstrap.service.d/10-install.conf
shift 2
# Before a timer takes the package manager's lock.
systemctl mask --quiet "$@" || true
systemctl daemon-reload
systemctl start --no-block imagegen-install.service
