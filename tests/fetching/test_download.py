"""Downloads from a real server that cuts, stalls, lies, and has nothing."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from imagegen.fetching.client import Client, Patience
from imagegen.fetching.download import Expected, download
from imagegen.fetching.failure import FetchError, MissingError, StoppedError
from imagegen.supply.mirrors import Mirrors, read_mirrors
from tests.support.server import Site, serve

CONTENT = bytes(range(256)) * 4000
NAME = "/pool/file"
EXPECTED = Expected(sums={"sha256": sha256(CONTENT).hexdigest()}, size=len(CONTENT))
# A busy machine takes seconds for an answer: only the test of silence itself has little patience.
QUICK = Patience(connect=20, silence=20, tries=3, pause=0.01)


@pytest.fixture
def site() -> Iterator[Site]:
    with serve(Site(files={NAME: CONTENT})) as running:
        yield running


@pytest.fixture
def client() -> Iterator[Client]:
    made = Client(Mirrors(), QUICK)
    yield made
    made.close()


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "part"


def test_a_file(site: Site, client: Client, part: Path) -> None:
    heard: list[int] = []
    download(client, site.url + NAME, part, EXPECTED, heard.append)
    assert part.read_bytes() == CONTENT
    assert sum(heard) == len(CONTENT)


def test_one_that_is_cut_goes_on_where_it_ended(site: Site, client: Client, part: Path) -> None:
    site.faults[NAME] = ["cut 300000", "cut 300000"]
    download(client, site.url + NAME, part, EXPECTED)
    assert part.read_bytes() == CONTENT
    first, second, third = site.requests(NAME)
    assert "range" not in first
    assert second["range"] == "bytes=300000-"
    assert second["if-range"].startswith('"')
    assert third["range"] == "bytes=600000-"


def test_one_that_stalls_goes_on(site: Site, part: Path) -> None:
    client = Client(Mirrors(), Patience(silence=1, tries=20, pause=0.01))
    site.faults[NAME] = ["stall 200000"]
    started = time.monotonic()
    download(client, site.url + NAME, part, EXPECTED)
    client.close()
    assert part.read_bytes() == CONTENT
    assert 1 <= time.monotonic() - started < 25
    assert site.requests(NAME)[1]["range"] == "bytes=200000-"


def test_a_server_without_ranges_sends_all_again(site: Site, client: Client, part: Path) -> None:
    site.faults[NAME] = ["cut 300000", "no ranges"]
    download(client, site.url + NAME, part, EXPECTED)
    assert part.read_bytes() == CONTENT


def test_a_server_that_cuts_at_the_same_place_each_time_is_given_up(site: Site, client: Client, part: Path) -> None:
    site.faults[NAME] = ["restart 1000"] * 50
    with pytest.raises(FetchError, match=r"3 times in a row\n    run the same command again: what came so far is kept"):
        download(client, site.url + NAME, part, EXPECTED)
    assert len(site.requests(NAME)) == 4


def test_a_file_that_changed_on_the_way_is_begun_anew(site: Site, client: Client, part: Path) -> None:
    site.files[NAME] = CONTENT[::-1]
    site.faults[NAME] = ["cut 300000"]
    heard: list[int] = []

    def change(size: int) -> None:
        heard.append(size)
        site.files[NAME] = CONTENT

    download(client, site.url + NAME, part, Expected(sums=EXPECTED.sums), change)
    assert part.read_bytes() == CONTENT


def test_what_an_earlier_run_left_is_used(site: Site, client: Client, part: Path) -> None:
    part.write_bytes(CONTENT[:700_000])
    download(client, site.url + NAME, part, EXPECTED)
    assert part.read_bytes() == CONTENT
    assert [request.get("range") for request in site.requests(NAME)] == ["bytes=700000-"]


def test_what_another_file_left_is_not(site: Site, client: Client, part: Path) -> None:
    part.write_bytes(b"x" * 700_000)
    download(client, site.url + NAME, part, EXPECTED)
    assert part.read_bytes() == CONTENT


def test_a_whole_part_is_not_asked_for(site: Site, client: Client, part: Path) -> None:
    part.write_bytes(CONTENT)
    download(client, site.url + NAME, part, EXPECTED)
    assert not site.heard


def test_a_lie_is_told_with_both_hashes_and_leaves_nothing(site: Site, client: Client, part: Path) -> None:
    site.faults[NAME] = ["lie"]
    with pytest.raises(FetchError) as raised:
        download(client, site.url + NAME, part, EXPECTED)
    said = str(raised.value)
    lie = sha256(bytes(byte ^ 1 for byte in CONTENT)).hexdigest()
    assert said.startswith(f"{site.url}{NAME}: expected sha256 {EXPECTED.sums['sha256']}, found {lie}\n")
    assert not part.exists()


def test_more_than_was_said_is_not_read_to_its_end(site: Site, client: Client, part: Path) -> None:
    site.files[NAME] = CONTENT * 100
    with pytest.raises(FetchError, match="expected 1,024,000 bytes, and more came"):
        download(client, site.url + NAME, part, EXPECTED)
    assert part.stat().st_size == 0


@pytest.mark.parametrize("status", ["503", "429", "500"])
def test_a_server_in_trouble_is_asked_again(site: Site, client: Client, part: Path, status: str) -> None:
    site.faults[NAME] = [status, status]
    download(client, site.url + NAME, part, EXPECTED)
    assert len(site.requests(NAME)) == 3


def test_but_not_for_ever(site: Site, client: Client, part: Path) -> None:
    site.faults[NAME] = ["503"] * 9
    with pytest.raises(FetchError, match="the server says 503 Service Unavailable, 3 times in a row"):
        download(client, site.url + NAME, part, EXPECTED)
    assert len(site.requests(NAME)) == 3


def test_what_is_not_there_is_said_at_once(site: Site, client: Client, part: Path) -> None:
    with pytest.raises(MissingError, match=r"/nothing: the server has no such file \(404\)"):
        download(client, f"{site.url}/nothing", part, EXPECTED)
    assert len(site.heard) == 1


def test_nobody_there(client: Client, part: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/file"
        with pytest.raises(FetchError, match=r"127\.0\.0\.1.*times in a row"):
            download(client, url, part, EXPECTED)


def test_a_mirror_is_asked_and_named(site: Site, part: Path) -> None:
    client = Client(read_mirrors([f"https://vendor.example/pool={site.url}/mirror"]), QUICK)
    site.files["/mirror/file"] = CONTENT
    download(client, "https://vendor.example/pool/file", part, EXPECTED)
    assert part.read_bytes() == CONTENT
    with pytest.raises(MissingError, match=rf"https://vendor.example/pool/other \(by way of {site.url}/mirror/other\)"):
        client.text("https://vendor.example/pool/other")
    client.close()


def test_a_proxy_of_the_environment_is_used(site: Site, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.files["http://vendor.example/file"] = CONTENT
    monkeypatch.setenv("HTTP_PROXY", site.url)
    client = Client(Mirrors(), QUICK)
    download(client, "http://vendor.example/file", part, EXPECTED)
    client.close()
    assert part.read_bytes() == CONTENT


def test_stop_wakes_what_waits_for_a_silent_server(site: Site, part: Path) -> None:
    patient = Client(Mirrors(), Patience(silence=60))
    site.faults[NAME] = ["stall 100000"]
    threading.Timer(0.3, patient.stop).start()
    started = time.monotonic()
    with pytest.raises(StoppedError):
        download(patient, site.url + NAME, part, EXPECTED)
    assert time.monotonic() - started < 25
    # What came is there for the next run.
    assert part.stat().st_size == 100_000
    patient.close()
