"""``python -m deploy.sample --out DIR``: a day in a shop, as the vendor's CSV export and an insight report."""

import argparse
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from deploy.sample.export import CSV_NAME, JSON_NAME, write_csv, write_json
from deploy.sample.insights import make_report
from deploy.sample.shop import make_shop
from deploy.sample.visits import make_day
from services.common import clock
from services.common.settings import CommonSettings


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.sample", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the two files; made if it is missing")
    parser.add_argument("--day", type=date.fromisoformat, help="YYYY-MM-DD; yesterday by default")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--timezone", type=ZoneInfo, default=CommonSettings().site_timezone, help="of the shop")
    options = parser.parse_args()
    zone = options.timezone
    day = options.day or _yesterday(zone)
    sightings, report = write_sample(options.out, day, seed=options.seed, zone=zone)
    print(f"{options.out / CSV_NAME}: {sightings:,} appearances")
    print(f"{options.out / JSON_NAME}: {report:,} insights")


def write_sample(folder: Path, day: date, *, seed: int, zone: ZoneInfo) -> tuple[int, int]:
    """How many appearances and insights were written."""
    sightings = make_day(make_shop(seed), day, seed, zone)
    report = make_report(sightings, day.isoformat(), seed)
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(sightings, folder / CSV_NAME)
    write_json(report, folder / JSON_NAME)
    return len(sightings), len(report)


def _yesterday(zone: ZoneInfo) -> date:
    today: datetime = clock.now().astimezone(zone)
    return today.date() - timedelta(days=1)


if __name__ == "__main__":
    main()
