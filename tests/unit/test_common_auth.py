import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import jwt
import pytest
from msgspec import Struct
from msgspec.structs import replace

from services.common import clock
from services.common.auth import Claims, InvalidTokenError, decode_token, encode_token, load_token_secret
from services.common.kept_secret import kept_secret

SECRET = "x" * 32
CLAIMS = Claims(
    user_id="7",
    email="viewer@example.com",
    role="viewer",
    expires_at=(clock.now() + timedelta(hours=1)).replace(microsecond=0),
)


class Settings(Struct):
    home: Path
    token_secret: str = ""


class TestTokens:
    def test_a_token_says_who_its_bearer_is(self) -> None:
        assert decode_token(encode_token(CLAIMS, SECRET), SECRET) == CLAIMS

    def test_a_token_of_another_secret_is_refused(self) -> None:
        with pytest.raises(InvalidTokenError):
            decode_token(encode_token(CLAIMS, "y" * 32), SECRET)

    def test_a_token_issued_by_a_clock_ahead_of_ours_holds(self) -> None:
        with patch.object(clock, "now", lambda: datetime.now(UTC) + timedelta(minutes=10)):
            token = encode_token(CLAIMS, SECRET)
        assert decode_token(token, SECRET) == CLAIMS

    def test_a_token_that_has_expired_is_refused(self) -> None:
        expired = replace(CLAIMS, expires_at=clock.now() - timedelta(seconds=5))
        with pytest.raises(InvalidTokenError):
            decode_token(encode_token(expired, SECRET), SECRET)

    def test_a_token_that_names_no_signature_is_refused(self) -> None:
        unsigned = jwt.encode({"sub": "7", "email": "e", "role": "admin", "exp": CLAIMS.expires_at}, "", "none")
        with pytest.raises(InvalidTokenError):
            decode_token(unsigned, SECRET)

    @pytest.mark.parametrize("claims", [{"role": "root"}, {"exp": None}, {"sub": 7}])
    def test_a_signed_token_with_wrong_claims_is_refused(self, claims: dict[str, object]) -> None:
        whole = {"sub": "7", "email": "e", "role": "admin", "exp": CLAIMS.expires_at} | claims
        with pytest.raises(InvalidTokenError):
            decode_token(
                jwt.encode({name: value for name, value in whole.items() if value is not None}, SECRET), SECRET
            )


class TestTokenSecret:
    def test_the_configured_secret_is_taken(self, tmp_path: Path) -> None:
        assert load_token_secret(Settings(tmp_path, SECRET)) == SECRET

    def test_a_configured_secret_that_is_too_short_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="32 characters"):
            load_token_secret(Settings(tmp_path, "short"))

    def test_without_one_a_secret_is_kept_for_its_owner_alone(self, tmp_path: Path) -> None:
        settings = Settings(tmp_path / "home")
        assert load_token_secret(settings) == load_token_secret(settings)
        assert stat.S_IMODE((tmp_path / "home" / "token_secret").stat().st_mode) == 0o600

    def test_processes_that_start_together_keep_one_secret(self, tmp_path: Path) -> None:
        with ThreadPoolExecutor(8) as threads:
            assert len(set(threads.map(kept_secret, [tmp_path / "secret"] * 32))) == 1
        assert [path.name for path in tmp_path.iterdir()] == ["secret"]
