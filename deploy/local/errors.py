"""What ends a local command: one clear line that says what is wrong and what to do."""


class LocalError(Exception):
    """Printed as it is, without a traceback, before the command exits with 1."""
