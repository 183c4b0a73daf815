"""One Corsight system, as the sources that ask it share it."""

from services.ingest.corsight.cursor import Cursors
from services.ingest.corsight.history import History
from services.ingest.corsight.session import Session
from services.ingest.corsight.settings import CorsightSettings


class System:
    """Has one login, since a system may end a user's session when the same user logs in elsewhere: sources with a login
    each would throw each other out for ever."""

    def __init__(self, settings: CorsightSettings, cursors: Cursors | None = None) -> None:
        self.settings = settings
        self.session = Session(settings)
        self.history = History(self.session, settings)
        self.cursors = cursors or Cursors(settings.postgres_dsn)
