"""Load the sample day through the front door, as a user would, and wait until the dashboard can show it."""

import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from deploy.local.errors import LocalError
from deploy.local.layout import ROOT
from deploy.local.programs import python
from deploy.local.settings import LocalSettings
from deploy.local.stack import Say

LOAD_SECONDS = 120.0
POLL_SECONDS = 0.5

FILES = ("appearances.csv", "insights.json")


def load_sample(settings: LocalSettings, say: Say) -> None:
    """Yesterday, in the site's zone. Loading it again changes nothing: the same bytes are the same upload."""
    today = datetime.now(ZoneInfo(settings.site_timezone)).replace(hour=0, minute=0, second=0, microsecond=0)
    yesterday = today - timedelta(days=1)
    folder = settings.home / "sample" / yesterday.date().isoformat()
    _generate(folder, yesterday)
    say(f"loading the sample day {yesterday:%Y-%m-%d}")
    try:
        _load(settings, folder, {"from": yesterday.isoformat(), "to": today.isoformat()})
    except httpx.TransportError as error:
        raise LocalError(f"{settings.address} stopped answering ({error}): see `make logs SERVICE=gateway`") from error


def _generate(folder: Path, day: datetime) -> None:
    if all((folder / name).exists() for name in FILES):
        return
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        python("-m", "deploy.sample", "--out", str(folder), "--day", day.date().isoformat()),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LocalError(f"the sample day could not be made: {done.stderr.strip()[-500:]}")


def _load(settings: LocalSettings, folder: Path, day: dict[str, str]) -> None:
    with httpx.Client(base_url=f"{settings.address}/api/v1", timeout=60, trust_env=False) as client:
        login = client.post("/auth/login", json={"email": settings.admin_email, "password": settings.admin_password})
        if login.status_code == httpx.codes.UNAUTHORIZED:
            raise LocalError(
                f"{settings.admin_email} could not log in: the password is another than when the tables were made; "
                "set DWELL_ADMIN_PASSWORD to that, or remove DWELL_HOME to begin anew"
            )
        client.headers["Authorization"] = f"Bearer {_checked(login)['access_token']}"
        appearances, insights = (_upload(client, folder / name)["summary"] for name in FILES)
        _wait_until_shown(client, day, appearances, insights["insights"])


def _upload(client: httpx.Client, path: Path) -> dict[str, Any]:
    """The finished upload."""
    upload = _checked(client.post("/uploads", files={"file": (path.name, path.read_bytes())}))
    deadline = monotonic() + LOAD_SECONDS
    while upload["status"] not in {"completed", "failed"}:
        if monotonic() > deadline:
            raise LocalError(f"{path.name} is still {upload['status']}: see `make logs SERVICE=worker`")
        sleep(POLL_SECONDS)
        upload = _checked(client.get(f"/uploads/{upload['upload_id']}"))
    if upload["status"] == "failed":
        raise LocalError(f"{path.name} failed to load: see `make logs SERVICE=gateway`")
    return upload


def _wait_until_shown(client: httpx.Client, day: dict[str, str], file: dict[str, Any], insights: int) -> None:
    """Until the analytics hold what the file holds, by its own summary, and every insight has its occupancy."""
    deadline = monotonic() + LOAD_SECONDS
    while True:
        shown = _checked(client.get("/analytics/summary", params=day))
        matched = _checked(client.get("/insights", params={**day, "match": "matched", "limit": "500"}))["items"]
        behind = [name for name in ("appearances", "sessions", "occupancy_peak") if shown[name] < file[name]]
        if len(matched) < insights:
            behind.append("insights")
        if not behind:
            return
        if monotonic() > deadline:
            raise LocalError(
                f"the dashboard still lacks {', '.join(behind)} of the sample day after {LOAD_SECONDS:.0f} s: "
                "see `make status` and `make logs`"
            )
        sleep(POLL_SECONDS)


def _checked(response: httpx.Response) -> dict[str, Any]:
    if response.is_error:
        asked = f"{response.request.method} {response.request.url.path}"
        raise LocalError(
            f"{asked} answered {response.status_code}: {response.text[:500]}; see `make logs SERVICE=gateway`"
        )
    body: dict[str, Any] = response.json()
    return body
