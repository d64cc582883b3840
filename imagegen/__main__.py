"""`imagegen`, and `python -m imagegen`."""

from __future__ import annotations

import gc
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

INTERRUPTED = 130
_SOON = 0.01


def main() -> None:
    """Run the program; Ctrl-C ends it without a traceback, even while it is still being loaded."""
    sys.unraisablehook = _interrupt_again
    # A run is over before there is garbage worth a search; what goes on for longer (`workers`) turns it on again.
    gc.disable()
    try:
        from imagegen.cli import main as run  # noqa: PLC0415  as said

        run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except RuntimeError as error:
        # Python 3.11 hides whatever is raised in a descriptor's `__set_name__` (each field of a dataclass) behind this.
        if not isinstance(error.__cause__, KeyboardInterrupt):
            raise
        sys.exit(INTERRUPTED)
    finally:
        # Nor needs the end a search through all that is still there.
        gc.freeze()


def _interrupt_again(lost: UnraisableHookArgs) -> None:
    """Where Python cannot raise (callbacks of the import system), it prints a Ctrl-C and forgets it: raise it later."""
    if lost.exc_type is KeyboardInterrupt:
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, _SOON)
    else:
        sys.__unraisablehook__(lost)


if __name__ == "__main__":
    main()
