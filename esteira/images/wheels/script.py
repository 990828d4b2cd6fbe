"""How the scripts of this folder end, which a bare interpreter runs before there is an environment."""

import sys
from typing import Callable

from esteira.errors import EsteiraError

# What a shell leaves with after Ctrl-C.
INTERRUPTED = 130


def exit_code_of(action: Callable[[], None]) -> int:
    """Do something; tell the error of a user, without a traceback, and return the exit code."""
    try:
        action()
    except EsteiraError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0
