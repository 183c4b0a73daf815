"""``python -m services.gateway [--check]``."""

import sys

from services.common.logging import configure_logging
from services.common.runner import run, serve
from services.gateway.app import create_app
from services.gateway.settings import GatewaySettings


def main() -> None:
    settings = GatewaySettings()
    configure_logging("gateway", settings.log_level)
    app = create_app(settings)
    if "--check" in sys.argv[1:]:
        return
    run("gateway", lambda: serve(app, settings.host, settings.gateway_port))


main()
