"""Age group and gender as the vendor reports them, with everything undecided told as one word."""

from collections.abc import Sequence

from services.common.events.common import OTHER

UNDECIDED = frozenset(
    {
        "",
        "null",
        "none",
        "nan",
        "n/a",
        "undefined",
        "unknown",
        "not_determined",
        "inconclusive",
        OTHER,
    }
)
"""Compared in lower case after trimming; all of these become `other`."""

_CUT_UNDECIDED = "not_det"
"""Spreadsheets cut `not_determined` to `not_determ` and worse; no age group and no gender begins so."""


def age_group_of(value: object) -> str:
    """The age group as reported (`20-29`, `70-`), trimmed."""
    return _decided(value) or OTHER


def gender_of(value: object) -> str:
    """The gender in lower case."""
    return _decided(value).lower() or OTHER


def age_groups_of(values: Sequence[str]) -> list[str]:
    """`age_group_of` of every value."""
    known = {value: age_group_of(value) for value in set(values)}
    return [known[value] for value in values]


def genders_of(values: Sequence[str]) -> list[str]:
    """`gender_of` of every value."""
    known = {value: gender_of(value) for value in set(values)}
    return [known[value] for value in values]


def _decided(value: object) -> str:
    """The trimmed text, empty where it decides nothing. Nested values and flags are no demographics."""
    if value is None or isinstance(value, bool | dict | list):
        return ""
    text = str(value).strip()
    word = text.lower()
    return "" if word in UNDECIDED or word.startswith(_CUT_UNDECIDED) else text
