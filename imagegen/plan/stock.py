"""What machines install themselves with, where no image is baked."""

from imagegen.frozen import dataclass

STOCK_FOLDER = "/var/lib/imagegen/stock"
"""Where user-data puts what a machine installs itself with; first boot takes it out of cloud-init's copies."""
STOCK_PAYLOAD = f"{STOCK_FOLDER}/payload"
STOCK_WORK = "/var/tmp/imagegen"  # noqa: S108  the scripts of the bake know the place; it is made private
"""Where a machine unpacks that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockPlan:
    """What machines install themselves with: files packed into `payload`, in user-data unless there is a `url` for it.

    `sha256` is that of the files before they are compressed: compressors differ, and user-data is always the same.
    `steps` are the scripts that are run, in order; `paths` are those of the files that they put in place. `start`,
    `unit`, `hold`, `loader` and `download` are the texts of what brings it about.
    """

    payload: bytes
    sha256: str
    url: str
    fingerprint: str
    masked_units: tuple[str, ...]
    steps: tuple[str, ...]
    paths: frozenset[str]
    start: str
    unit: str
    hold: str
    loader: str
    download: str

    @property
    def name(self) -> str:
        """Of the payload where it is served: another content is another file."""
        return f"{self.sha256}.json.xz"
