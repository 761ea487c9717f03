"""Who writes next: one draft or batch part at a time, in the order of coming, people before batches.

Everyone can see how many stand before them, and can leave.
"""

from __future__ import annotations

import threading


class QueuePlace:
    """A place in the queue. Leave it when done, or when it is not wanted any more."""

    def __init__(self, queue: DraftQueue) -> None:
        self._queue = queue

    def ahead(self) -> int:
        """How many stand before this one; 0 means it is its turn."""
        return self._queue.ahead(self)

    def wait(self, timeout_s: float) -> bool:
        """Whether its turn has come, waiting at most so long."""
        return self._queue.wait(self, timeout_s)

    def leave(self) -> None:
        """Let the next one in. May be called twice."""
        self._queue.leave(self)


class DraftQueue:
    """Places in order; the first is being served."""

    def __init__(self) -> None:
        self._moved = threading.Condition()
        self._people: list[QueuePlace] = []
        self._batches: list[QueuePlace] = []
        self._served: QueuePlace | None = None

    def join(self, *, batch: bool = False) -> QueuePlace:
        """Stand at the end; batches stand behind all people."""
        place = QueuePlace(self)
        with self._moved:
            (self._batches if batch else self._people).append(place)
            self._move()
        return place

    def waiting(self) -> int:
        """How many people and batches are in the queue, the one being served included."""
        with self._moved:
            return len(self._order())

    def ahead(self, place: QueuePlace) -> int:
        """See `QueuePlace.ahead`."""
        with self._moved:
            order = self._order()
            return order.index(place) if place in order else 0

    def wait(self, place: QueuePlace, timeout_s: float) -> bool:
        """See `QueuePlace.wait`."""
        with self._moved:
            return self._moved.wait_for(lambda: self._served is place, timeout_s)

    def leave(self, place: QueuePlace) -> None:
        """See `QueuePlace.leave`."""
        with self._moved:
            for side in (self._people, self._batches):
                if place in side:
                    side.remove(place)
            if self._served is place:
                self._served = None
            self._move()

    def _order(self) -> list[QueuePlace]:
        served = [self._served] if self._served else []
        return [*served, *self._people, *self._batches]

    def _move(self) -> None:
        """Call the next one in, if nobody is being served."""
        if self._served is None:
            side = self._people or self._batches
            self._served = side.pop(0) if side else None
        self._moved.notify_all()
