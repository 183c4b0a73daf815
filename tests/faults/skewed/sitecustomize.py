"""Another clock for a service: put this folder on PYTHONPATH, and the seconds to be off in SKEW_SECONDS."""

import os
import time
from datetime import datetime, timedelta

from services.common import clock

_SECONDS = float(os.environ["SKEW_SECONDS"])
_time, _now = time.time, clock.now


def _skewed_time() -> float:
    return _time() + _SECONDS


def _skewed_now() -> datetime:
    return _now() + timedelta(seconds=_SECONDS)


time.time, clock.now = _skewed_time, _skewed_now
