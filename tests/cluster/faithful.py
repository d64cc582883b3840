"""Whether a machine's disk is the baked one, but for what its ground declares."""

from pathlib import Path

from imagegen.lab import ground
from tests.cluster import trees


def declared(pristine: Path) -> frozenset[str]:
    """Every path that may, and must, differ from the pristine disk: table, seed and their new folders."""
    paths = [change.path for change in ground.GROUND] + [f"{ground.SEED}/{name}" for name in ground.SEED_FILES]
    new_folders = {str(parent) for path in paths for parent in Path(path).parents if not (pristine / parent).exists()}
    return frozenset(paths) | new_folders


def undeclared(pristine: Path, root: Path, seed: Path) -> tuple[str, ...]:
    """Differences that nobody declared, and declarations that do not hold; empty if all is well."""
    found, expected = trees.differences(pristine, root), declared(pristine)
    return (
        *(f"differs, not in the table: /{path}" for path in sorted(found - expected)),
        *(f"in the table, does not differ: /{path}" for path in sorted(expected - found)),
        *(
            f"not as in the table: /{change.path}"
            for change in ground.GROUND
            if _content(root, change) != change.content
        ),
        *(
            f"not as emitted: /{ground.SEED}/{name}"
            for name in ground.SEED_FILES
            if (root / ground.SEED / name).read_bytes() != (seed / name).read_bytes()
        ),
    )


def _content(root: Path, change: ground.Change) -> str:
    path = root / change.path
    return str(path.readlink()) if change.link else path.read_text(encoding="utf-8")
