"""All that is live: publishers, those who follow, and webhooks, over one catalogue."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from engine.catalog import Catalog
from engine.events.courier import Courier
from engine.events.deliveries import Deliveries
from engine.events.desk import Desk
from engine.events.forgetting import Forgetting
from engine.events.publisher import Publisher
from engine.events.subscriptions import Packages
from engine.events.tail import Tail
from engine.events.webhooks import Webhooks
from engine.settings import Settings


class Live:
    """What a server does with events."""

    def __init__(self, catalog: Callable[[], Catalog], settings: Settings) -> None:
        desk = Desk(catalog)
        self.publisher = Publisher(desk, settings)
        """Takes what is published."""
        self.tail = Tail(desk)
        """Tells those who follow."""
        self.packages = Packages(desk, settings)
        """What can be followed."""
        self.webhooks = Webhooks(desk)
        """Who is told without asking."""
        self.forgetting = Forgetting(desk, settings.event_days)
        """Removes events that are old."""
        self._courier = Courier(Deliveries(desk), settings, self.publisher.tidy)
        self._listening = ExitStack()

    def missed(self, after: int) -> int | None:
        """The number up to which events are gone, where some after a number may be; otherwise None."""
        last = self.forgetting.last()
        return None if after >= last or self.tail.holds(after, last) else last

    def start(self) -> None:
        """Begin to follow the catalogue."""
        self.tail.start()
        self._listening.enter_context(self.tail.heard(self._courier.wake))
        self._courier.start()

    def stop(self) -> None:
        """End it."""
        self._listening.close()
        self.tail.stop()
        self._courier.stop()
