"""What must be remembered over a power cut."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bootstrap import files


@dataclass
class State:
    """How far this machine has come; every change is on the disk before anything acts on it."""

    path: Path
    mode: str = ""
    joined: bool = False
    tries: dict[str, int] = field(default_factory=dict)
    hooks: list[str] = field(default_factory=list)
    role: str = ""

    @classmethod
    def load(cls, path: Path) -> State:
        data = files.read_json(path)
        tries = {str(name): int(count) for name, count in data.get("tries", {}).items()}
        hooks = [str(name) for name in data.get("hooks", [])]
        mode, role = str(data.get("mode", "")), str(data.get("role", ""))
        return cls(path, mode, bool(data.get("joined", False)), tries, hooks, role)

    @property
    def total_tries(self) -> int:
        return sum(self.tries.values())

    def choose(self, mode: str) -> None:
        self.mode = mode
        self._save()

    def assign(self, role: str) -> None:
        self.role = role
        self._save()

    def count(self, command: str) -> int:
        self.tries[command] = self.tries.get(command, 0) + 1
        self._save()
        return self.tries[command]

    def mark_joined(self) -> None:
        self.joined = True
        self._save()

    def mark_hook(self, name: str) -> None:
        self.hooks.append(name)
        self._save()

    def _save(self) -> None:
        data = {"mode": self.mode, "joined": self.joined, "tries": self.tries, "hooks": self.hooks, "role": self.role}
        files.write_json(self.path, data, 0o600)
