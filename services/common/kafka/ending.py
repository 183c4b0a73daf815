"""Ending a stream processor."""

import os
import sys
from typing import Any, NoReturn

from services.common.logging import get_logger

log = get_logger(__name__)


def end_process(reason: str, **fields: Any) -> NoReturn:
    """End at once, acknowledging nothing.

    Faust acknowledges the event at hand when its agent raises, so an exception must not leave the agent: the process
    ends instead, its supervisor starts another, and that one reads the event again.
    """
    log.critical(reason, exc_info=sys.exc_info()[0] is not None, **fields)
    sys.stdout.flush()
    os._exit(1)
