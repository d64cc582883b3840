"""How user-data makes a machine from a public image install itself."""

from __future__ import annotations

import json
from base64 import b85encode
from collections.abc import Iterator

from imagegen.plan import STOCK_FOLDER, STOCK_PAYLOAD, FilePlan, StockPlan

_PRIVATE = "0600"
_UNIT = "imagegen-install.service"


def stock_files(stock: StockPlan, written: tuple[FilePlan, ...]) -> Iterator[FilePlan]:
    """The loader, and what it unpacks or where it finds that; `written` are the role's other files, which win."""
    keep = sorted({file.path for file in written} & stock.paths)
    told = {"url": f"{stock.url}/{stock.name}", "sha256": stock.sha256} if stock.url else {}
    settings = told | ({"keep": keep} if keep else {})
    yield _file(f"{STOCK_FOLDER}/load.py", stock.loader)
    yield _file(f"{STOCK_FOLDER}/stock.json", json.dumps(settings, indent=1) + "\n")
    if stock.url:
        yield _file(f"{STOCK_FOLDER}/bring.py", stock.download)
    else:
        yield _file(STOCK_PAYLOAD, b85encode(stock.payload).decode() + "\n")


def start_command(stock: StockPlan) -> list[str]:
    """What cloud-init's bootcmd runs on every boot until the machine is installed."""
    return ["sh", "-c", stock.start, _UNIT, stock.unit, stock.hold, *stock.masked_units]


def _file(path: str, content: str) -> FilePlan:
    return FilePlan(path=path, content=content, mode=_PRIVATE)
