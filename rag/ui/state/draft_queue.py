"""Who writes next: one draft or batch part at a time, in the order of coming, people before batches.

Everyone can see how many stand before them, and can leave.
"""

from __future__ import annotations

import threading


class Place:
    """A place in the line. Leave it when done, or when it is not wanted any more."""

    def __init__(self, line: DraftQueue) -> None:
        self._line = line

    def ahead(self) -> int:
        """How many stand before this one; 0 means it is its turn."""
        return self._line.ahead(self)

    def wait(self, timeout_s: float) -> bool:
        """Whether its turn has come, waiting at most so long."""
        return self._line.wait(self, timeout_s)

    def leave(self) -> None:
        """Let the next one in. May be called twice."""
        self._line.leave(self)


class DraftQueue:
    """Tickets in order; the first is being served."""

    def __init__(self) -> None:
        self._moved = threading.Condition()
        self._people: list[Place] = []
        self._batches: list[Place] = []
        self._served: Place | None = None

    def join(self, *, batch: bool = False) -> Place:
        """Stand at the end; batches stand behind all people."""
        ticket = Place(self)
        with self._moved:
            (self._batches if batch else self._people).append(ticket)
            self._move()
        return ticket

    def waiting(self) -> int:
        """How many people and batches are in the line, the one being served included."""
        with self._moved:
            return len(self._order())

    def ahead(self, ticket: Place) -> int:
        """See `Place.ahead`."""
        with self._moved:
            order = self._order()
            return order.index(ticket) if ticket in order else 0

    def wait(self, ticket: Place, timeout_s: float) -> bool:
        """See `Place.wait`."""
        with self._moved:
            return self._moved.wait_for(lambda: self._served is ticket, timeout_s)

    def leave(self, ticket: Place) -> None:
        """See `Place.leave`."""
        with self._moved:
            for side in (self._people, self._batches):
                if ticket in side:
                    side.remove(ticket)
            if self._served is ticket:
                self._served = None
            self._move()

    def _order(self) -> list[Place]:
        served = [self._served] if self._served else []
        return [*served, *self._people, *self._batches]

    def _move(self) -> None:
        """Call the next one in, if nobody is being served."""
        if self._served is None:
            side = self._people or self._batches
            self._served = side.pop(0) if side else None
        self._moved.notify_all()
