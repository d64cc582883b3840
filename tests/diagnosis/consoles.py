"""Consoles as clouds give them: first boot's lines among everything else that a machine says."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

# Debian 12 on a serial console; the escapes are systemd's and the getty's.
KERNEL = [
    "[    0.000000] Linux version 6.1.0-44-cloud-amd64 (debian-kernel@lists.debian.org)",
    "[    0.000000] Command line: BOOT_IMAGE=/boot/vmlinuz-6.1.0-44-cloud-amd64 root=PARTUUID=0b ro console=ttyS0",
    "[    1.102934] virtio_blk virtio1: [vda] 41943040 512-byte logical blocks",
]
SYSTEMD = [
    "\x1b[0m\x1b[1mWelcome to \x1b[0m\x1b[31mDebian GNU/Linux 12 (bookworm)\x1b[0m!",
    "[\x1b[0;32m  OK  \x1b[0m] Reached target \x1b[0;1;39mnetwork-online.target\x1b[0m - Network is Online.",
]
CLOUD_INIT = [
    "[    5.913444] cloud-init[412]: Cloud-init v. 22.4.2 running 'init' at Sun, 22 Nov 2026 08:00:00 +0000.",
    "[    5.931231] cloud-init[412]: ci-info: | ens3 |  True | 192.168.0.11 | 255.255.255.0 | global |",
]
FINISHED = [
    "[   11.802311] cloud-init[598]: Cloud-init v. 22.4.2 running 'modules:final' at Sun, 22 Nov 2026 08:00:06 +0000.",
    "[   11.962341] cloud-init[598]: Cloud-init v. 22.4.2 finished at 22 Nov 2026. Datasource DataSourceNoCloud.",
]
PROMPT = "\r\n\x1b[H\x1b[JDebian GNU/Linux 12 node-1 ttyS0\r\n\r\nnode-1 login: "


def console(lines: Iterable[str], *, before: Iterable[str] = (*KERNEL, *SYSTEMD, *CLOUD_INIT)) -> bytes:
    """One boot: first boot's third line stands behind a login prompt, and the kernel speaks in between."""
    told = list(lines)
    for number, noise in ((2, PROMPT), (4, "[   14.000001] br_netfilter: Module loaded\r\n")):
        if number < len(told):
            told[number] = noise + told[number]
    return ("\r\n".join([*before, *told]) + "\r\n").encode()


def aliyun(content: bytes) -> bytes:
    """What `aliyun ecs GetInstanceConsoleOutput` answers."""
    text = base64.b64encode(content).decode()
    return json.dumps({"InstanceId": "i-bp1", "LastUpdateTime": "2026-11-22 16:00:00", "ConsoleOutput": text}).encode()


def aws(content: bytes) -> bytes:
    """What `aws ec2 get-console-output` prints: decoded already."""
    return json.dumps({"InstanceId": "i-0ab", "Output": content.decode(errors="replace")}).encode()


def journal_json(lines: Iterable[str], boot: str = "b" * 32) -> bytes:
    """`journalctl -o json`; the journal gives a line with control characters as a list of bytes."""
    entries = [{"__REALTIME_TIMESTAMP": "1", "_BOOT_ID": boot, "MESSAGE": _message(line)} for line in lines]
    return "".join(json.dumps(entry) + "\n" for entry in entries).encode()


def journal_export(lines: Iterable[str], boot: str = "b" * 32) -> bytes:
    """`journalctl -o export`, with the binary form where the text has control characters."""
    made = b""
    for number, line in enumerate(lines):
        text = line.encode()
        field = b"MESSAGE=" + text if line.isprintable() else b"MESSAGE\n" + len(text).to_bytes(8, "little") + text
        made += f"__CURSOR=s={number}\n_BOOT_ID={boot}\n".encode() + field + b"\n\n"
    return made


def journal_short(lines: Iterable[str]) -> bytes:
    """`journalctl`, as it prints by itself."""
    return "".join(f"Nov 22 08:00:00 node-1 python3[612]: {line}\n" for line in lines).encode()


def status_file(status: Mapping[str, Any]) -> bytes:
    """/var/lib/imagegen/status.json."""
    return json.dumps(status).encode()


def _message(line: str) -> str | list[int]:
    return line if line.isprintable() else list(line.encode())
