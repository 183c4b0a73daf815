import pytest

from services.notifier.origin import is_allowed


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://shop.example:8000", True),
        ("https://shop.example", True),
        ("https://SHOP.example", True),
        ("https://dashboard.example", True),
        (None, True),
        ("https://evil.example", False),
        ("https://dashboard.example:8443", False),
        ("https://shop.example.evil.example", False),
        ("https://evil.example/shop.example", False),
        ("null", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_a_page_may_use_the_cookie_from_this_host_or_from_an_allowed_origin(origin: str | None, allowed: bool) -> None:
    headers = {"host": "shop.example:8001"} | ({} if origin is None else {"origin": origin})
    assert is_allowed(headers, ["https://dashboard.example"]) is allowed


def test_a_request_without_a_host_allows_no_page() -> None:
    assert not is_allowed({"origin": "null"}, [])
