"""One cluster spec in; golden images and first-boot data out."""

__version__ = "0.1.0"
