#!/usr/bin/env bash
# guard.sh [ADDRESS...]: nothing is forwarded to these addresses any more, but questions to a resolver there; without
# any, what was said before is taken back. What a pod sends is forwarded, what is on the machine's own network is not.
# Rules of routing: whatever network plugins and kube-proxy do to iptables and nftables, these stay.
set -o errexit -o nounset -o pipefail

# A mark of ours, and a place before the rules of network plugins.
readonly mark=73 place=60 onward=62

# rules ADDRESS...: in ip's words. What may pass meets all further rules as if these were not.
rules() {
  local address
  echo "rule add priority $onward protocol $mark nop"
  for address in "$@"; do
    echo "rule add priority $place to $address iif lo protocol $mark goto $onward"
    echo "rule add priority $place to $address ipproto udp dport 53 protocol $mark goto $onward"
    echo "rule add priority $place to $address ipproto tcp dport 53 protocol $mark goto $onward"
    echo "rule add priority $((place + 1)) to $address protocol $mark prohibit"
  done
}

# set_rules FAMILY ADDRESS...
set_rules() {
  ip "$1" rule flush protocol "$mark"
  (($# == 1)) || rules "${@:2}" | ip "$1" -batch -
}

four=() six=()
for address in "$@"; do
  if [[ $address == *:* ]]; then
    six+=("$address")
  else
    four+=("$address")
  fi
done
set_rules -4 ${four[@]+"${four[@]}"}
# Where the kernel was told to do without IPv6, nothing is reached by it.
if [[ -e /proc/net/if_inet6 ]]; then
  set_rules -6 ${six[@]+"${six[@]}"}
fi
