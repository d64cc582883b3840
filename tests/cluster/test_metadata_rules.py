"""What keeps pods from a metadata service: the image's own script on a real kernel, without a machine around it."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]

GUARD = Path(__file__).parents[2] / "packer/files/usr/local/lib/imagegen/metadata/guard.sh"
# Three machines in a row: a pod, its node, and what is outside. Nothing of it outlives the first process. As a cloud's
# network does it, the metadata service and its neighbour are reached by the default route.
GROUND = """
set -o errexit -o nounset
for name in pod outside; do
  unshare --net sleep infinity & eval $name=$!
  until [ "$(readlink /proc/$!/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
done
in_pod() { nsenter --net --target $pod -- "$@"; }
outside() { nsenter --net --target $outside -- "$@"; }
ip link set lo up
ip link add cni0 type veth peer name eth0 netns $pod
ip link add eth0 type veth peer name eth0 netns $outside
for family in 4 6; do
  case $family in
    4) ours=10.1.0 up=10.2.0 dot=. meta="169.254.169.254 169.254.169.253" long=24 host=32 nodad= ;;
    6) ours=fd01: up=fd02: dot=: meta="fd00:ec2::254 fd00:ec2::253" long=64 host=128 nodad=nodad ;;
  esac
  ip address add $ours${dot}1/$long dev cni0 $nodad
  ip address add $up${dot}1/$long dev eth0 $nodad
  in_pod ip address add $ours${dot}2/$long dev eth0 $nodad
  outside ip address add $up${dot}2/$long dev eth0 $nodad
  for address in $meta; do outside ip address add $address/$host dev eth0 $nodad; done
  ip link set cni0 up; ip link set eth0 up
  in_pod ip link set eth0 up; outside ip link set eth0 up
  ip -$family route add default via $up${dot}2
  in_pod ip -$family route add default via $ours${dot}1
  outside ip -$family route add default via $up${dot}1
done
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.eth0.rp_filter=1
outside PYTHON - <<'END' &
import selectors, socket
ready = selectors.DefaultSelector()
for address in ("169.254.169.254", "169.254.169.253", "fd00:ec2::254", "fd00:ec2::253"):
    for kind, port in ((1, 80), (1, 53), (2, 53), (2, 80)):
        one = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
        one.bind((address, port))
        if kind == 1:
            one.listen()
        ready.register(one, selectors.EVENT_READ, kind)
while True:
    for key, _ in ready.select():
        if key.data == 1:
            key.fileobj.accept()[0].close()
        else:
            word, sender = key.fileobj.recvfrom(9)
            key.fileobj.sendto(word, sender)
END
trap 'kill $(jobs -p)' EXIT
"""
ASK = """
import socket, sys, time

for _ in range(int(sys.argv[1])):  # until the server is up
    answers = []
    for address in ("169.254.169.254", "169.254.169.253", "fd00:ec2::254", "fd00:ec2::253"):
        for kind, port in ((1, 80), (1, 53), (2, 53), (2, 80)):
            with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind) as one:
                one.settimeout(0.5)
                try:
                    one.connect((address, port))
                    if kind == 2:
                        one.send(b"hello")
                        one.recv(9)
                    answers.append("y")
                except OSError:
                    answers.append("n")
    if "n" not in answers:
        break
    time.sleep(0.2)
print("".join(answers))
"""


def answers(script: str) -> list[str]:
    """What is said on this ground: of each address TCP 80, TCP 53, UDP 53, UDP 80."""
    told = GROUND.replace("PYTHON", sys.executable) + textwrap.dedent(script)
    command = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c", told]
    asked = {"ASK": ASK, "PYTHON": sys.executable, "GUARD": str(GUARD), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    ended = subprocess.run(command, env=asked, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.split()


def test_a_pod_reaches_no_more_than_a_resolver_there_and_the_machine_everything() -> None:
    said = answers(
        """
        in_pod "$PYTHON" -c "$ASK" 20
        bash "$GUARD" 169.254.169.254 fd00:ec2::254
        bash "$GUARD" 169.254.169.254 fd00:ec2::254
        in_pod "$PYTHON" -c "$ASK" 1
        "$PYTHON" -c "$ASK" 1
        bash "$GUARD"
        in_pod "$PYTHON" -c "$ASK" 1
        """
    )
    assert said == ["yyyy" * 4, "nyynyyyy" * 2, "yyyy" * 4, "yyyy" * 4]


def test_rules_of_others_stay_and_are_met_as_before() -> None:
    said = answers(
        """
        "$PYTHON" -c "$ASK" 20
        ip rule add priority 100 to 169.254.169.253 blackhole
        ip rule add priority 101 to 169.254.169.254 ipproto udp blackhole
        "$PYTHON" -c "$ASK" 1
        bash "$GUARD" 169.254.169.254
        "$PYTHON" -c "$ASK" 1
        bash "$GUARD"
        ip rule show priority 100 | wc -l
        """
    )
    own = "yynn" + "nnnn" + "yyyy" * 2
    assert said == ["yyyy" * 4, own, own, "1"]


def test_without_ipv6_the_other_family_is_guarded(tmp_path: Path) -> None:
    said = answers(
        f"""
        # Such a kernel has no list of its addresses.
        sed 's:/proc/net:{tmp_path}/net:' "$GUARD" >{tmp_path}/guard.sh
        bash {tmp_path}/guard.sh 169.254.169.254 fd00:ec2::254
        ip rule show | grep -c prohibit
        ip -6 rule show | grep -c prohibit || true
        """
    )
    assert said == ["1", "0"]
