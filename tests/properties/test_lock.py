"""Locks that hypothesis thinks of: what is written is read again, and a bundle is what its lock says, to the byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegen import assets
from imagegen.lock import (
    FOLDERS,
    Archive,
    BaseDisk,
    FileKind,
    Lock,
    LockedFile,
    LockedImage,
    Provision,
    Source,
    bake_lock,
    bundle_digest,
    bundle_index,
)
from imagegen.schema import explain_errors
from imagegen.supply.changes import changes_of
from imagegen.supply.reading import read_lock, write_lock

SCHEMA = assets.schema("lock-v1alpha1")
SUMS = st.binary(min_size=32, max_size=32).map(bytes.hex)
NAMES = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._+-]{0,12}\Z")
VERSIONS = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._+~^:-]{0,12}\Z")
URLS = st.from_regex(r"\Ahttps?://[!-~]{1,30}\Z")
SIZES = st.integers(1, 2**40)
ARCHIVES = st.builds(Archive, sha256=SUMS, size=SIZES, member=st.text(st.characters(categories=("L", "N")), min_size=1))


@st.composite
def files(draw: Callable[..., Any]) -> LockedFile:
    kind, name = draw(st.sampled_from(FileKind)), draw(NAMES)
    return LockedFile(
        path=f"{FOLDERS[kind]}/{name}",
        kind=kind,
        name=name,
        version=draw(VERSIONS),
        url=draw(URLS),
        sha256=draw(SUMS),
        size=draw(SIZES),
        archive=draw(st.none() | ARCHIVES),
    )


@st.composite
def images(draw: Callable[..., Any]) -> LockedImage:
    name = draw(st.from_regex(r"\A[a-z0-9][a-z0-9./-]{0,20}:[A-Za-z0-9_][A-Za-z0-9._-]{0,10}\Z"))
    path = f"images/{draw(st.from_regex(r'[A-Za-z0-9][A-Za-z0-9._-]{0,20}', fullmatch=True))}.tar"
    return LockedImage(name=name, digest=f"sha256:{draw(SUMS)}", path=path, sha256=draw(SUMS), size=draw(SIZES))


def by_path(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """As a lock has them: each path once, in order."""
    listed = st.lists(strategy, max_size=4, unique_by=lambda entry: entry.path)
    return listed.map(lambda entries: tuple(sorted(entries, key=lambda entry: str(entry.path))))


PROVISIONS = st.builds(
    Provision,
    base=st.none() | st.builds(BaseDisk, url=URLS, sha256=SUMS),
    files=by_path(files()),
    images=by_path(images()),
)
LOCKS = st.builds(
    Lock,
    name=st.from_regex(r"\A[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?\Z"),
    os=st.sampled_from(["debian-12", "debian-13"]),
    kubernetes=st.from_regex(r"\A1\.[0-9]{1,2}\.[0-9]{1,2}\Z"),
    source=st.sampled_from(Source),
    architectures=st.dictionaries(st.sampled_from(["amd64", "arm64"]), PROVISIONS),
)


@given(LOCKS)
@settings(max_examples=150, deadline=None)
def test_a_lock_that_is_written_is_read_again(lock: Lock) -> None:
    text = write_lock(lock)
    found, document, findings = read_lock(text, "demo.lock.yaml", SCHEMA)
    assert not findings
    assert found == lock
    assert write_lock(found) == text
    assert changes_of(lock, found) == ()
    # Other readers of YAML see the same, and jsonschema alone has nothing against it.
    assert document is not None
    assert yaml.safe_load(text) == document.data
    assert not explain_errors(document.data, SCHEMA, "Lock")


@given(LOCKS)
@settings(max_examples=50, deadline=None)
def test_what_follows_from_a_lock(lock: Lock) -> None:
    for architecture, provision in lock.architectures.items():
        index = bundle_index(lock, architecture)
        assert bundle_digest(lock, architecture) == sha256(index.encode()).hexdigest()
        paths = [file["path"] for file in json.loads(index)["files"]]
        assert paths == sorted(paths)
        assert len(paths) == len(provision.files) + len(provision.images)
        kinds = [file["kind"] for file in json.loads(bake_lock(lock, architecture))["files"]]
        assert kinds.count("image") == len(provision.images)
