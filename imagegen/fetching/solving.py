"""What rpm packages need of each other, by libsolv, which is dnf's own solver."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from imagegen.fetching.failure import FetchError
from imagegen.fetching.repositories import Repository
from imagegen.supply.found import FoundPackage

# In the release of a module's packages: dnf sees those of enabled modules alone, and an image enables none (Fedora's
# pages on modularity).
_MODULE = ".module"
# What rpm adds to a name for the machine's own kind of package (rpm's macro _isa).
_ISA = "(x86-64)", "(aarch-64)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Names of packages; `pins`: name → how its version begins; `base`: what every machine has, with all its needs."""

    names: Sequence[str]
    base: Sequence[str]
    machine: str
    pins: Mapping[str, str] = field(default_factory=dict)


def solve(repositories: Sequence[Repository], asked: Asked) -> tuple[FoundPackage, ...]:
    """The named packages with all that they need beyond the base; `FetchError` where something is missing.

    Weak dependencies are left out, as the bake leaves them. A package that needs one of the base in an exact version
    brings that one, too: a machine may have another.
    """
    try:
        return _solve(repositories, asked, files=False)
    except _NoFileError:
        # Most repositories need no more than the files that `primary` names; the whole list is ten times as long.
        return _solve(repositories, asked, files=True)


class _NoFileError(Exception):
    """A file that is needed, and that `primary` names of no package."""


def _solve(repositories: Sequence[Repository], asked: Asked, *, files: bool) -> tuple[FoundPackage, ...]:
    pool = _Pool(repositories, asked.machine, files=files)
    there = [pool.job(name, "", "every machine") for name in asked.base]
    base = pool.chosen(there)
    wanted = [pool.job(name, asked.pins.get(name, ""), "the image") for name in asked.names]
    chosen = pool.chosen([*pool.favoured(base), *there, *wanted])
    kept = {name: one for name, one in chosen.items() if name in base and one.evr == base[name].evr}
    brought = [one for name, one in chosen.items() if name not in kept or name in asked.names]
    found = {one.name: one for one in (*brought, *_exact_needs(brought, kept))}
    return tuple(pool.found(found[name]) for name in sorted(found))


def _exact_needs(brought: Iterable[Any], base: Mapping[str, Any]) -> list[Any]:
    taken: dict[str, Any] = {}
    left = list(brought)
    while left:
        for name in _exact_names(left.pop()):
            if name in base and name not in taken:
                taken[name] = base[name]
                left.append(base[name])
    return list(taken.values())


def _exact_names(solvable: Any) -> Iterator[str]:
    import solv  # noqa: PLC0415  an extra

    for need in solvable.lookup_deparray(solv.SOLVABLE_REQUIRES):
        name, equals, _ = str(need).partition(" = ")
        if equals:
            yield next((name.removesuffix(end) for end in _ISA if name.endswith(end)), name)


class _Pool:
    """All packages of the repositories that a machine may install."""

    def __init__(self, repositories: Sequence[Repository], machine: str, *, files: bool) -> None:
        import solv  # noqa: PLC0415  as above

        self._solv, self._files = solv, files
        self._pool = solv.Pool()
        self._pool.setdisttype(solv.Pool.DISTTYPE_RPM)
        self._pool.setarch(machine)
        for repository in repositories:
            made = self._pool.add_repo(repository.url)
            self._add(made, repository, "primary", 0)
            if files:
                self._add(made, repository, "filelists", solv.Repo.REPO_EXTEND_SOLVABLES)
        everything = self._pool.solvables
        self._usable = [one for one in everything if one.arch in (machine, "noarch") and _MODULE not in one.evr]
        self._pool.set_considered_list([one.id for one in self._usable])
        self._pool.addfileprovides()
        self._pool.createwhatprovides()

    def _add(self, made: Any, repository: Repository, kind: str, flags: int) -> None:
        stream = self._solv.xfopen(str(repository.unpacked(kind)))
        if stream is None or not made.add_rpmmd(stream, None, flags):
            address = repository.client.named(f"{repository.url}/{repository.listed[kind].path}")
            raise FetchError(f"{address}: libsolv cannot read it: {self._pool.errstr}", "take another mirror of it")
        stream.close()

    def job(self, name: str, pin: str, who: str) -> Any:
        """The wish that a package of this name is installed."""
        fitting = [one.id for one in self._usable if one.name == name and _without_epoch(one.evr).startswith(pin)]
        if not fitting:
            said = f"{name} {pin}…" if pin else name
            raise FetchError(f"{who} needs {said}, which the archives do not have", _NOT_THERE)
        job = self._solv.Job
        return self._pool.Job(job.SOLVER_INSTALL | job.SOLVER_SOLVABLE_ONE_OF, self._pool.towhatprovides(fitting))

    def favoured(self, solvables: Mapping[str, Any]) -> list[Any]:
        """Wishes that of alternatives these are taken."""
        job = self._solv.Job
        return [self._pool.Job(job.SOLVER_FAVOR | job.SOLVER_SOLVABLE, one.id) for one in solvables.values()]

    def chosen(self, jobs: Sequence[Any]) -> dict[str, Any]:
        """What is installed in the end, by name."""
        solver = self._pool.Solver()
        solver.set_flag(self._solv.Solver.SOLVER_FLAG_IGNORE_RECOMMENDED, 1)
        problems = [str(problem) for problem in solver.solve(list(jobs))]
        if problems and not self._files and any("nothing provides /" in problem for problem in problems):
            raise _NoFileError
        if problems:
            raise FetchError(f"the image's packages do not fit together: {'; '.join(problems)}", _NOT_THERE)
        return {one.name: one for one in solver.transaction().newsolvables()}

    def found(self, solvable: Any) -> FoundPackage:
        """A package in the words of a lock."""
        checksum = solvable.lookup_checksum(self._solv.SOLVABLE_CHECKSUM)
        if checksum is None or checksum.typestr() != "sha256":
            kind = "none" if checksum is None else checksum.typestr()
            raise FetchError(f"{solvable.repo.name}: of {solvable} it has no sha256, but {kind}", "take another mirror")
        return FoundPackage(
            name=solvable.name,
            version=solvable.evr,
            url=f"{solvable.repo.name}/{solvable.lookup_location()[0]}",
            sha256=checksum.hex(),
            size=solvable.lookup_num(self._solv.SOLVABLE_DOWNLOADSIZE),
            suffix="rpm",
        )


_NOT_THERE = "a mirror may be behind; another version of Kubernetes or containerd may be what the vendor has"


def _without_epoch(evr: str) -> str:
    return evr.rpartition(":")[2]
