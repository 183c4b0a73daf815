"""What is worked out of values of the state, for as long as the state holds those values."""

from services.insights.domain.remembered import Remembered


def value(text: str) -> bytes:
    """Another object at each call."""
    return text.encode()


def test_is_found_while_the_very_values_are_there() -> None:
    remembered: Remembered[str, int] = Remembered(10)
    held = [value("one"), None]
    remembered.keep("key", held, 1, 1)
    assert remembered.find("key", list(held)) == 1


def test_is_not_found_for_values_that_came_from_elsewhere() -> None:
    remembered: Remembered[str, int] = Remembered(10)
    remembered.keep("key", [value("one"), None], 1, 1)
    assert remembered.find("key", [value("one"), None]) is None
    assert remembered.find("another", [value("one"), None]) is None


def test_what_was_used_last_stays() -> None:
    remembered: Remembered[str, int] = Remembered(10)
    held = [value("one")]
    for number, key in enumerate("abc"):
        remembered.keep(key, held, number, 4)
        remembered.find("a", held)
    assert [key for key in "abc" if remembered.find(key, held) is not None] == ["a", "c"]


def test_a_result_takes_the_place_of_the_one_before() -> None:
    remembered: Remembered[str, int] = Remembered(10)
    held = [value("one")]
    remembered.keep("other", held, 0, 4)
    for number in range(5):
        remembered.keep("key", held, number, 5)
    assert (remembered.find("other", held), remembered.find("key", held)) == (0, 4)
