"""An offline bundle from a server that need not be trusted: bundle.json is as pinned, the files as it says."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from baked.fetch import FetchError, Mirrors, Pace, fetch, read_small

if TYPE_CHECKING:
    from pathlib import Path

    from baked.bundle import Wanted

# A lock of addresses on this server, as `fetch` reads them.
_LOCK = "served.json"
_PACE = Pace()


def download(url: str, folder: Path, wanted: Wanted, pace: Pace = _PACE) -> list[str]:
    """Bring the bundle into a folder; give what went wrong, nothing where all is there.

    What is there already is not asked for again. `FetchError` where there is no bundle.json, or another one.
    """
    index = read_small(f"{url}/bundle.json", pace)
    found = hashlib.sha256(index).hexdigest()
    if found != wanted.sha256:
        raise FetchError(f"{url}/bundle.json has sha256 {found}, the image was planned with {wanted.sha256}")
    described = json.loads(index)
    files = [{**file, "url": f"{url}/{quote(file['path'])}"} for file in described["files"]]
    lock = folder.with_name(_LOCK)
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text(json.dumps({**described, "files": files}))
    problems = fetch(lock, folder, wanted, Mirrors(), pace)
    if not problems:
        # As it was pinned, without the addresses.
        (folder / "bundle.json").write_bytes(index)
    return problems
