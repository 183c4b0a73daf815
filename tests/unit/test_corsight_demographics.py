import math

import pytest

from services.common.corsight.demographics import age_group_of, gender_of

UNDECIDED: list[object] = [
    None, "", "  ", "null", "NULL", "None", "nan", math.nan, "n/a", "N/A", "undefined", "unknown", "Unknown",
    "not_determined", " Not_Determined ", "inconclusive", "other", "Other", "not_determ", "not_detern", "not_deterrr ",
    [], {}, True,
]  # fmt: skip


@pytest.mark.parametrize("value", UNDECIDED)
def test_whatever_decides_nothing_is_other(value: object) -> None:
    assert age_group_of(value) == "other"
    assert gender_of(value) == "other"


@pytest.mark.parametrize("value", ["20-29", "70-", "0-2", "70+", "Adult"])
def test_an_age_group_stays_as_reported(value: str) -> None:
    assert age_group_of(f" {value}\t") == value


def test_a_gender_is_lower_case() -> None:
    assert gender_of(" Male ") == "male"
    assert gender_of("FEMALE") == "female"
