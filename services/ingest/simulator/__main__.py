"""``python -m services.ingest.simulator``: a Corsight whose cameras watch people walk through a shop."""

import argparse
from datetime import datetime, timedelta
from typing import get_args

from services.common.logging import configure_logging, get_logger
from services.common.runner import run
from services.ingest.settings import IngestSettings
from services.ingest.simulator.api import SERVICES, HistoryForm
from services.ingest.simulator.faults import Faults
from services.ingest.simulator.records import WindowOf
from services.ingest.simulator.server import CorsightSimulator

log = get_logger(__name__)

GATEWAY_PORT = 8010


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m services.ingest.simulator", description=__doc__)
    life = made.add_argument_group("what happens")
    life.add_argument("--seed", type=int, default=1)
    life.add_argument("--people", type=float, help="arrivals per minute (default 2)")
    life.add_argument("--rate", type=float, help="events per second, up to 5000; without it each comes in its time")
    life.add_argument("--since", type=datetime.fromisoformat, help="when the telling began, with zone (default now)")
    life.add_argument("--hours", type=float, help="history before that (default a quarter; with --rate none)")
    life.add_argument("--events", type=int, help="say no more after so many")
    life.add_argument("--crops", action="store_true", help="with pictures, which are most of an event's bytes")
    access = made.add_argument_group("how it is reached")
    access.add_argument("--host", default="127.0.0.1")
    access.add_argument("--told-host", default="127.0.0.1", help="the host to which the gateway redirects listeners")
    access.add_argument("--port", type=int, default=GATEWAY_PORT, help="of the gateway")
    for service in SERVICES:
        access.add_argument(f"--{service}-port", type=int, default=0, help="0 takes a free one")
    access.add_argument("--tls", action="store_true", help="with a certificate that it signs itself")
    access.add_argument("--username", default="dwell")
    access.add_argument("--password", default="simulated")
    access.add_argument("--token-seconds", type=float, default=600.0)
    history = made.add_argument_group("how its history speaks")
    history.add_argument("--milliseconds", action="store_true", help="from and till are in milliseconds")
    history.add_argument("--flat", action="store_true", help="rows have appearance_id at the top")
    history.add_argument("--named", action="store_true", help="rows have a person_id")
    history.add_argument(
        "--window-of", choices=get_args(WindowOf), default="seen_at", help="the time that must lie in it"
    )
    webhook = made.add_argument_group("whom it calls")
    webhook.add_argument("--webhook", metavar="URL", help="where events are posted, too")
    webhook.add_argument("--signed", action="store_true", help="with a signature in place of the secret")
    made.add_argument(
        "--fault", action="append", default=[], metavar="NAME=VALUE", help=", ".join(sorted(Faults.model_fields))
    )
    made.add_argument("--check", action="store_true", help="build it, then exit")
    return made


def simulator(arguments: argparse.Namespace, webhook_secret: str) -> CorsightSimulator:
    """Raises `ValueError` where an argument is wrong."""
    for name in ("people", "rate", "events"):
        if getattr(arguments, name) is not None and getattr(arguments, name) <= 0:
            raise ValueError(f"--{name} must be greater than 0")
    if arguments.since is not None and arguments.since.tzinfo is None:
        raise ValueError("--since needs a zone: 2026-03-09T08:00:00Z")
    return CorsightSimulator(
        seed=arguments.seed,
        pace=arguments.rate,
        people_per_minute=arguments.people,
        begins_at=arguments.since,
        open_for=None if arguments.hours is None else timedelta(hours=arguments.hours),
        max_events=arguments.events,
        crops=arguments.crops,
        faults=Faults.model_validate(dict(each.partition("=")[::2] for each in arguments.fault)),
        username=arguments.username,
        password=arguments.password,
        token_seconds=arguments.token_seconds,
        history=HistoryForm(
            milliseconds=arguments.milliseconds,
            flat=arguments.flat,
            named=arguments.named,
            window_of=arguments.window_of,
        ),
        host=arguments.host,
        told_host=arguments.told_host,
        port=arguments.port,
        direct_ports=tuple(getattr(arguments, f"{service}_port") for service in SERVICES),
        tls=arguments.tls,
        webhook=arguments.webhook,
        webhook_secret=webhook_secret,
        webhook_signed=arguments.signed,
    )


def main() -> None:
    commands = parser()
    arguments = commands.parse_args()
    settings = IngestSettings()
    configure_logging("simulator", settings.log_level)
    try:
        made = simulator(arguments, settings.webhook_secret)
    except ValueError as error:
        commands.error(str(error))
    if arguments.check:
        return

    async def serve() -> None:
        async with made as vendor:
            direct = {service: vendor.direct_url(service) for service in SERVICES}
            log.info("Corsight is simulated", gateway=vendor.url, **direct, webhook=arguments.webhook)
            if vendor.certificate:
                trusted = {
                    "ca_file": str(vendor.certificate.certificate),
                    "fingerprint": vendor.certificate.fingerprint,
                }
                log.info("its certificate is to be trusted by name or by fingerprint", **trusted)
            await vendor.watch()

    run("simulator", serve)


if __name__ == "__main__":
    main()
