# SPDX-License-Identifier: MIT
"""asyncio with virtual time, and with an order where CPython's own is not told."""
import asyncio
import heapq
import itertools
import threading


class Deadlock(Exception):
    pass


class Timer(asyncio.TimerHandle):
    """Among equals the one that was armed first."""

    __slots__ = ("order",)

    def __lt__(self, other):
        return (self._when, self.order) < (other._when, other.order)


class Loop(asyncio.BaseEventLoop):
    def __init__(self):
        super().__init__()
        self.now = 0
        self.count = itertools.count()
        self._selector = self
        self._clock_resolution = 0.5
        self._thread_id = threading.get_ident()  # it counts as running: eager tasks ask for that

    def time(self):
        return self.now

    def select(self, timeout):
        if timeout is None:
            raise Deadlock
        if timeout > 0:
            self.now = self._scheduled[0]._when
        return ()

    def _process_events(self, events):
        pass

    def call_at(self, when, callback, *args, context=None):
        timer = Timer(when, callback, args, self, context)
        timer.order = next(self.count)
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer


class OrderedSet(dict):
    """For those of asyncio's sets whose order shows."""

    def __init__(self, items=()):
        super().__init__(dict.fromkeys(items))

    add = dict.setdefault

    def discard(self, item):
        self.pop(item, None)

    def remove(self, item):
        del self[item]


class Listened:
    """A future that tells its group when a cancellation came to who awaits it."""

    def __init__(self, group, future):
        self.group, self.future = group, future
        self.done, self.set_result = future.done, future.set_result

    def __await__(self):
        try:
            return (yield from self.future)
        except asyncio.CancelledError:
            self.group.cancel_came = True
            raise


class Group(asyncio.TaskGroup):
    """asyncio's of today, whose children are cancelled in their order; and pawl_group_cancel.

    asyncio has nothing of the kind, and forgets a cancellation from outside that comes to a group that has no errors and yet is being
    aborted. Here it goes on."""

    _on_completed_fut = property(lambda self: self.listened,
                                 lambda self, future: setattr(self, "listened", future and Listened(self, future)))

    def __init__(self):
        super().__init__()
        self._tasks = OrderedSet()
        self.cancelled = self.asked = self.cancel_came = False

    def create_task(self, coro, **options):
        if not self._entered or self._aborting or (self._exiting and not self._tasks):
            raise RuntimeError
        task = self._loop.create_task(coro, **options)
        self._tasks.add(task)  # also when it has ended already (gh-128550, gh-128588)
        task.add_done_callback(self._on_task_done)
        if self._aborting:  # its own doing, in its first step
            task.cancel()
        return task

    async def __aenter__(self):
        await super().__aenter__()
        self.requests = self._parent_task.cancelling()
        return self

    def cancel(self):
        if self._aborting:
            return False
        self._abort()
        self.cancelled = True
        if not self._exiting:
            self.asked = self._parent_cancel_requested = True
            self._parent_task.cancel()
        return True

    def from_outside(self):
        return not self.asked or self._parent_task.cancelling() > self.requests

    async def __aexit__(self, kind, *error):
        try:
            await super().__aexit__(kind, *error)
        except asyncio.CancelledError:
            if not self.cancelled or self.from_outside():
                raise
        if self.cancelled and kind is None and self.cancel_came and self.from_outside():
            raise asyncio.CancelledError
        return self.cancelled and not self.from_outside()


class MoveOn:
    """pawl_move_on_after: a timeout that raises nothing."""

    def __init__(self, timeout):
        self.timeout = timeout
        self.reschedule, self.expired, self.when = timeout.reschedule, timeout.expired, timeout.when

    async def __aenter__(self):
        return await self.timeout.__aenter__()

    async def __aexit__(self, *error):
        try:
            return await self.timeout.__aexit__(*error)
        except asyncio.TimeoutError:
            return True


asyncio.tasks.set = OrderedSet  # of `wait`
