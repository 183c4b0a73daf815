"""The processor needs the common settings only."""

from services.common.settings import CommonSettings


class ProcessorSettings(CommonSettings):
    """The gaps and the longest plausible dwell are common: other services must agree on them."""
