"""A bundle is what its lock says, to the byte, and the bake refuses any other."""

from __future__ import annotations

import tempfile
from hashlib import sha256
from pathlib import Path

from baked import bundle
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegen.lock import FileKind, Lock, LockedFile, Provision, Source, bundle_digest, bundle_index

NAMES = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._+-]{0,12}\Z")
CONTENTS = st.dictionaries(NAMES, st.binary(min_size=1, max_size=60), min_size=1, max_size=4)


@given(CONTENTS, st.data())
@settings(max_examples=60, deadline=None)
def test_one_changed_byte_anywhere_in_a_bundle_is_refused(contents: dict[str, bytes], data: st.DataObject) -> None:
    locked = tuple(
        LockedFile(
            path=f"bin/{name}",
            kind=FileKind.BINARY,
            name=name,
            version="1",
            url="https://x",
            sha256=sha256(content).hexdigest(),
            size=len(content),
        )
        for name, content in contents.items()
    )
    lock = Lock(
        name="demo",
        os="debian-12",
        kubernetes="1.37.2",
        source=Source.BUNDLE,
        architectures={"amd64": Provision(files=locked)},
    )
    wanted = bundle.Wanted(sha256=bundle_digest(lock, "amd64"), architecture="amd64", kubernetes="1.37.2")
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        (top / "bin").mkdir()
        (top / "bundle.json").write_text(bundle_index(lock, "amd64"))
        for name, content in contents.items():
            (top / "bin" / name).write_bytes(content)
        assert bundle.problems(top, wanted) == []
        path = data.draw(st.sampled_from(sorted(path for path in top.rglob("*") if path.is_file())))
        spoilt = bytearray(path.read_bytes())
        place = data.draw(st.integers(0, len(spoilt) - 1))
        spoilt[place] ^= data.draw(st.integers(1, 255))
        path.write_bytes(spoilt)
        assert bundle.problems(top, wanted)
