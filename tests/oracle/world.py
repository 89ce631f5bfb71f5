# SPDX-License-Identifier: MIT
"""A scenario on asyncio: World.run gives its trace."""
import asyncio
import contextvars
import sys

from scenario import FIRST_ERROR, LIMITS, NO_LIMIT, OWN_KIND
from virtual import Deadlock, Group, Loop, MoveOn

VERSION = sys.version_info[:2]
MOST_EVENTS = 400
MOST_ROUNDS = 8


class Failure(Exception):
    """An error of the scenario's own."""

    def __init__(self, number):
        super().__init__(number)
        self.number = number


class Returned:
    def __init__(self, value):
        self.value = value


NAMES = [(asyncio.CancelledError, "cancelled"), (asyncio.TimeoutError, "timeout"), (asyncio.InvalidStateError, "invalid"),
         (asyncio.QueueEmpty, "empty"), (asyncio.QueueFull, "full")]
if VERSION >= (3, 11):
    NAMES.append((asyncio.BrokenBarrierError, "broken"))
if VERSION >= (3, 13):
    NAMES.append((asyncio.QueueShutDown, "shutdown"))


def name_of(error):
    if isinstance(error, Failure):
        return f"e{error.number}"
    for kind, name in NAMES:
        if isinstance(error, kind):
            return name
    if isinstance(error, BaseExceptionGroup):
        return "group(" + ",".join(name_of(one) for one in error.exceptions) + ")"
    if isinstance(error, RuntimeError) and "await on itself" in str(error):
        return "itself"
    if isinstance(error, (RuntimeError, ValueError)):
        return "refused"
    return repr(error)


def truth(value):
    return "yes" if value else "no"


def kind_of(number):
    """What `try` catches."""
    if number >= OWN_KIND:
        return Failure
    return ((), asyncio.CancelledError, Exception, BaseException, asyncio.TimeoutError)[number]


CONTEXT = contextvars.ContextVar("context", default=0)


class Handle:
    """A callback: idle, or known to a future or to the loop."""

    def __init__(self):
        self.pending = False
        self.turn = 0


class World:
    """One scenario on asyncio. now_WORD runs a statement that cannot wait; later_WORD one that can."""

    def __init__(self, program, pawl_rules):
        self.program, self.pawl_rules = program, pawl_rules
        self.loop = Loop()
        self.events, self.over = [], False
        self.tasks, self.numbers, self.made = {}, {}, []
        self.futures = [self.loop.create_future() for _ in range(LIMITS["f"])]
        self.handles = [Handle() for _ in range(LIMITS["h"])]
        self.eager = False
        self.scopes, self.groups = {}, {}
        self.released = []
        self.exempt = set()  # of what is told of errors that nobody looked at
        self.loop.set_task_factory(self.make_task)
        self.loop.set_exception_handler(lambda loop, context: None)

    # -- the trace

    def say(self, text):
        if self.over:
            return
        task = asyncio.current_task(self.loop)
        who = "-" if task is None else f"t{self.numbers[task]}" if task in self.numbers else "?"
        self.events.append(f"{self.loop.now} {who} {text}")
        if len(self.events) >= MOST_EVENTS:
            self.events.append("limit")
            self.over = True

    def note(self, text):
        if not self.over:
            self.events.append(f"{self.loop.now} {text}")

    # -- running

    def make_task(self, loop, coro, **options):
        """Knows all tasks in the order in which they were made."""
        place = [None]
        self.made.append(place)
        if asyncio.current_task(loop) is None:
            options["context"] = contextvars.Context()  # a callback has none
        if self.eager:
            options["eager_start"] = True
            self.eager = False
        place[0] = asyncio.Task(coro, loop=loop, **options)
        return place[0]

    def objects(self):
        """What has to be made in a running loop on some versions."""
        self.locks = [asyncio.Lock() for _ in range(LIMITS["l"])]
        self.flags = [asyncio.Event() for _ in range(LIMITS["e"])]
        self.conditions = [asyncio.Condition() for _ in range(LIMITS["c"])]
        self.semaphores = [asyncio.Semaphore(0), asyncio.Semaphore(1), asyncio.Semaphore(2), asyncio.BoundedSemaphore(1)]
        self.barriers = [asyncio.Barrier(2), asyncio.Barrier(3)] if VERSION >= (3, 11) else []
        self.queues = [asyncio.Queue(), asyncio.Queue(1), asyncio.Queue(2), asyncio.LifoQueue(2), asyncio.PriorityQueue(5)]

    def run(self):
        asyncio.events._set_running_loop(self.loop)
        try:
            self.objects()
            self.spawn(0, False)
            self.until(self.tasks[0].done)
            if self.tasks[0].done() and not self.tasks[0].cancelled():
                self.tasks[0].exception()  # as run_until_complete looks at it
            self.shut_down()
            self.tell_unseen()
        finally:
            self.over = True
            asyncio.events._set_running_loop(None)
            self.loop._ready.clear()
            self.loop._scheduled.clear()
            self.loop._closed = True
        return self.events

    def until(self, done):
        """Whether that came about."""
        while not done() and not self.over:
            try:
                self.loop._run_once()
            except Deadlock:
                self.note("deadlock")
                return False
        return True

    def shut_down(self):
        for _ in range(MOST_ROUNDS):
            self.note("shut down")
            for place in list(self.made):
                if place[0] is not None and not place[0].done():
                    place[0].cancel()
            if self.until(lambda: all(place[0].done() for place in self.made)):
                break
        else:
            self.note("stuck")
            self.over = True
        self.loop._stopping = True
        for _ in range(MOST_ROUNDS):
            self.loop._run_once()

    def tell_unseen(self):
        self.note(f"lost {sum(task._log_traceback for task in self.released)}")
        for kind, things in (("t", [self.tasks.get(k) for k in range(LIMITS["t"])]), ("f", self.futures)):
            for k, thing in enumerate(things):
                if thing is not None and thing._log_traceback and (kind, k) not in self.exempt:
                    self.note(f"unseen {kind}{k} {name_of(thing.exception())}")

    async def body(self, k):
        self.numbers[asyncio.current_task()] = k
        self.say("begins")
        try:
            returned = await self.block(self.program.bodies[k])
        except BaseException as error:
            self.say("ends " + name_of(error))
            raise
        value = returned.value if returned else k
        self.say(f"ends {value}")
        return value

    async def block(self, nodes):
        for node in nodes:
            returned = self.statement(node) if node.now else await self.long_statement(node)
            if returned is not None:
                return returned
        return None

    def statement(self, node):
        if node.word == "return":
            self.say(f"{node.number} return")
            return Returned(node.args[0])
        try:
            text = node.now(self, *node.args)
        except (Exception, asyncio.CancelledError) as error:
            self.say(f"{node.number} {node.word} {name_of(error)}")
            if node.word == "raise":  # of the others it is only told that it cannot be done
                raise
            return None
        self.say(f"{node.number} {node.word} {text}")
        return None

    async def long_statement(self, node):
        self.say(f"{node.number} {node.word} >")
        try:
            outcome = await node.later(self, node, *node.args)
        except BaseException as error:
            self.say(f"{node.number} {node.word} = {name_of(error)}")
            raise
        self.say(f"{node.number} {node.word} = ok" + (f" {outcome}" if outcome not in (None, "") and not isinstance(outcome, Returned) else ""))
        return outcome if isinstance(outcome, Returned) else None

    def run_now(self, nodes):
        """A block of statements that cannot wait."""
        for node in nodes:
            self.statement(node)

    # -- what a reference means

    def thing(self, reference):
        kind, k = reference
        return self.futures[k] if kind == "f" else self.tasks.get(k)

    def things(self, references):
        """Those that are there."""
        return [thing for thing in map(self.thing, references) if thing is not None]

    # -- tasks and futures

    def spawn(self, k, eager, make=None, known=True):
        """A task of body k, or None when there was one already; one that is not `known` cannot be referred to."""
        if k in self.tasks or k >= len(self.program.bodies):
            return None
        self.tasks[k] = None
        self.eager = eager
        coroutine = self.body(k)
        try:
            task = make(coroutine, name="body") if make else self.make_task(self.loop, coroutine, name="body")
        except RuntimeError:
            del self.tasks[k]
            coroutine.close()
            raise
        finally:
            self.eager = False
        self.numbers[task] = k
        if known:
            self.tasks[k] = task
        else:
            self.released.append(task)
        return task

    def now_mark(self):
        return "here"

    def now_raise(self, number):
        raise Failure(number) if number > 0 else asyncio.CancelledError

    def now_return(self, value):
        raise AssertionError("dealt with before")

    def now_spawn(self, task, how):
        """how: 1 eagerly, 2 released at once, 3 both."""
        return "new" if self.spawn(task[1], how % 2 == 1, known=how < 2) else "none"

    def now_set(self, future, value):
        self.thing(future).set_result(value)
        return "ok"

    def now_fail(self, future, number):
        self.thing(future).set_exception(Failure(number))
        return "ok"

    def now_cancel(self, what):
        thing = self.thing(what)
        return "none" if thing is None else "yes" if thing.cancel() else "no"

    def now_cancelme(self):
        task = asyncio.current_task(self.loop)
        return "none" if task is None else "yes" if task.cancel() else "no"

    def now_uncancel(self, task):
        task = self.thing(task)
        return "none" if task is None else str(task.uncancel())

    def now_cancelling(self, task):
        task = self.thing(task)
        return "none" if task is None else str(task.cancelling())

    def now_done(self, what):
        thing = self.thing(what)
        return "none" if thing is None else "cancelled" if thing.cancelled() else "done" if thing.done() else "pending"

    def now_look(self, what):
        thing = self.thing(what)
        if thing is None:
            return "none"
        error = thing.exception()
        return name_of(error) if error else f"ok {thing.result()}"

    def now_name(self, task):
        task = self.thing(task)
        return "none" if task is None else "done" if task.done() else task.get_name()

    def now_rename(self, task, number):
        task = self.thing(task)
        if task is None or task.done():
            return "none" if task is None else "done"
        task.set_name(f"name{number}")
        return "ok"

    def now_context(self, number):
        if asyncio.current_task(self.loop) is None:
            return "none"
        if number > 0:
            CONTEXT.set(number)
        return str(CONTEXT.get())

    # -- callbacks

    def arm(self, handle, nodes, start):
        handle = self.handles[handle[1]]
        if handle.pending:
            return "busy"
        handle.pending = True
        handle.turn += 1
        turn = handle.turn

        def run(*_):
            if self.pawl_rules and not (handle.pending and handle.turn == turn):
                return  # taken back between its future's end and its own turn
            handle.pending = False
            self.say("runs")
            self.run_now(nodes)

        handle.drop = start(run)
        return "ok"

    def now_soon(self, handle, nodes):
        return self.arm(handle, nodes, lambda run: self.loop.call_soon(run).cancel)

    def now_later(self, handle, delay, nodes):
        return self.arm(handle, nodes, lambda run: self.loop.call_later(delay, run).cancel)

    def now_when(self, handle, what, nodes):
        thing = self.thing(what)
        if thing is None:
            return "none"

        def start(run):
            thing.add_done_callback(run)
            return lambda: thing.remove_done_callback(run)

        return self.arm(handle, nodes, start)

    def now_drop(self, handle):
        handle = self.handles[handle[1]]
        if not handle.pending:
            return "no"
        handle.drop()
        handle.pending = False
        return "yes"

    # -- what waits

    async def later_sleep(self, node, span):
        await asyncio.sleep(span)

    async def later_await(self, node, what):
        thing = self.thing(what)
        return "none" if thing is None else await thing

    async def later_call(self, node, nodes):
        returned = await self.block(nodes)
        return returned.value if returned else None

    async def later_repeat(self, node, count, nodes):
        for _ in range(count):
            returned = await self.block(nodes)
            if returned:
                return returned

    async def later_try(self, node, nodes, kind, handler, again, final):
        error = returned = None
        try:
            returned = await self.try_and_catch(node, nodes, kind, handler, again)
        except BaseException as caught:
            error = caught
        self.say(f"{node.number} try finally")
        instead = await self.block(final)
        if error and not instead:
            raise error
        return instead or returned

    async def try_and_catch(self, node, nodes, kind, handler, again):
        try:
            return await self.block(nodes)
        except kind_of(kind) as error:
            if kind >= OWN_KIND and error.number != kind - OWN_KIND + FIRST_ERROR:
                raise
            self.say(f"{node.number} try caught {name_of(error)}")
            returned = await self.block(handler)
            if returned is None and again:
                raise
            return returned

    async def later_gather(self, node, return_errors, *references):
        things = self.things(references)
        results = await asyncio.gather(*things, return_exceptions=bool(return_errors))
        return ",".join(name_of(one) if isinstance(one, BaseException) else str(one) for one in results)

    async def later_waitfor(self, node, span, what):
        if isinstance(what, list):
            return await asyncio.wait_for(self.later_call(node, what), span)
        thing = self.thing(what)
        return "none" if thing is None else await asyncio.wait_for(thing, span)

    async def later_wait(self, node, until, span, *references):
        things = self.things(references)
        until = (asyncio.ALL_COMPLETED, asyncio.FIRST_COMPLETED, asyncio.FIRST_EXCEPTION)[until]
        if until == asyncio.FIRST_EXCEPTION:
            self.exempt.update(one for one in references if self.thing(one) is not None)
        done, _ = await asyncio.wait(things, timeout=None if span == NO_LIMIT else span, return_when=until)
        return "".join("D" if thing in done else "P" for thing in things)

    async def later_shield(self, node, what):
        thing = self.thing(what)
        if thing is None:
            return "none"
        return await (self.shield(thing) if self.pawl_rules else asyncio.shield(thing))

    def shield(self, inner):
        """asyncio's, but for one thing: an error that comes in the moment of the cancellation counts as seen by nobody."""
        if inner.done():
            return inner
        outer = self.loop.create_future()

        def on_inner(_):
            if outer.done():
                return
            if inner.cancelled():
                outer.cancel()
            elif inner.exception():
                outer.set_exception(inner.exception())
            else:
                outer.set_result(inner.result())

        inner.add_done_callback(on_inner)
        outer.add_done_callback(lambda _: inner.remove_done_callback(on_inner))
        return outer

    async def later_completed(self, node, span, *references):
        before = [False]

        def first_or_pending(reference):
            """Those that are done before come in any order: of them only the first is taken."""
            done, before[0] = self.thing(reference).done() and before[0], before[0] or self.thing(reference).done()
            return not done

        references = [one for one in references if self.thing(one) is not None and first_or_pending(one)]
        names = {self.thing(one): f"{one[0]}{one[1]}" for one in references}
        each = asyncio.as_completed(list(names), timeout=None if span == NO_LIMIT else span)
        try:
            async for thing in each:
                self.say(f"{node.number} completed {names[thing]}")
        finally:
            if self.pawl_rules and each._timeout_handle:
                each._timeout_handle.cancel()

    # -- groups: g1 is the one that was entered last under this name, until it is left

    async def later_group(self, node, name, nodes):
        group, returned = Group(), None
        try:
            async with group:
                self.groups[name] = group
                returned = await self.block(nodes)
        except BaseExceptionGroup as errors:  # pawl has no such thing: it raises the first
            self.say(f"{node.number} group failed {','.join(map(name_of, errors.exceptions))}")
            raise errors.exceptions[0]
        finally:
            if self.groups.get(name) is group:
                del self.groups[name]
        return returned

    def now_child(self, name, task, how):
        if name not in self.groups:
            return "none"
        task = self.spawn(task[1], how == 1, self.groups[name].create_task, how == 0)
        return "new" if task else "none"

    def now_cancelgroup(self, name):
        return "none" if name not in self.groups else truth(self.groups[name].cancel())

    # -- scopes: x3 is the one that was entered last under this name, until it is left

    async def scope(self, manager, name, nodes):
        returned = None
        try:
            async with manager:
                self.scopes[name] = manager
                returned = await self.block(nodes)
        finally:
            if self.scopes.get(name) is manager:
                del self.scopes[name]
        return returned or ("expired" if manager.expired() else "")

    async def later_timeout(self, node, name, span, nodes):
        return await self.scope(asyncio.timeout(None if span == NO_LIMIT else span), name, nodes)

    async def later_timeoutat(self, node, name, when, nodes):
        return await self.scope(asyncio.timeout_at(None if when == NO_LIMIT else when), name, nodes)

    async def later_moveon(self, node, name, span, nodes):
        return await self.scope(MoveOn(asyncio.timeout(None if span == NO_LIMIT else span)), name, nodes)

    def now_resched(self, name, span):
        if name not in self.scopes:
            return "none"
        self.scopes[name].reschedule(None if span == NO_LIMIT else self.loop.now + span)
        return "ok"

    def now_expired(self, name):
        return "none" if name not in self.scopes else truth(self.scopes[name].expired())

    def now_deadline(self, name):
        when = self.scopes[name].when() if name in self.scopes else 0
        return "none" if name not in self.scopes else "never" if when is None else str(when) if when > self.loop.now else "past"

    def now_cancelscope(self, name):
        if name not in self.scopes or self.scopes[name].expired():
            return "none" if name not in self.scopes else "no"
        scope = getattr(self.scopes[name], "timeout", self.scopes[name])
        if scope._timeout_handler:
            scope._timeout_handler.cancel()
        scope._on_timeout()
        return "yes"

    # -- locks, semaphores and conditions

    def lock(self, reference):
        kind, k = reference
        return (self.locks if kind == "l" else self.semaphores if kind == "s" else self.conditions)[k]

    async def later_acquire(self, node, what):
        await self.lock(what).acquire()

    async def later_hold(self, node, what, nodes):
        async with self.lock(what):
            self.say(f"{node.number} hold has")
            return await self.block(nodes)

    def now_tryacquire(self, what):
        lock = self.lock(what)
        if what[0] == "s":
            free = not lock.locked()
            lock._value -= free
            return truth(free)
        lock = lock._lock if what[0] == "c" else lock
        free = not lock._locked and all(waiter.cancelled() for waiter in lock._waiters or ())
        lock._locked = lock._locked or free
        return truth(free)

    def now_release(self, what):
        self.lock(what).release()
        return "ok"

    def now_locked(self, what):
        return truth(self.lock(what).locked())

    async def later_condwait(self, node, condition):
        await self.lock(condition).wait()

    async def later_condwaitfor(self, node, condition, event):
        await self.lock(condition).wait_for(self.flags[event[1]].is_set)

    def now_notify(self, condition, count):
        condition = self.lock(condition)
        condition.notify_all() if count < 0 else condition.notify(count)
        return "ok"

    # -- events and barriers

    async def later_waitevent(self, node, event):
        await self.flags[event[1]].wait()

    def now_setevent(self, event):
        self.flags[event[1]].set()
        return "ok"

    def now_clear(self, event):
        self.flags[event[1]].clear()
        return "ok"

    def now_isset(self, event):
        return truth(self.flags[event[1]].is_set())

    async def later_meet(self, node, barrier):
        return str(await self.barriers[barrier[1]].wait())

    async def later_reset(self, node, barrier):
        await self.barriers[barrier[1]].reset()

    async def later_abort(self, node, barrier):
        await self.barriers[barrier[1]].abort()

    def now_waiting(self, barrier):
        return str(self.barriers[barrier[1]].n_waiting)

    def now_broken(self, barrier):
        return truth(self.barriers[barrier[1]].broken)

    # -- queues

    async def later_put(self, node, queue, item):
        await self.queues[queue[1]].put(item)

    async def later_get(self, node, queue):
        return str(await self.queues[queue[1]].get())

    async def later_join(self, node, queue):
        await self.queues[queue[1]].join()

    def now_putnow(self, queue, item):
        self.queues[queue[1]].put_nowait(item)
        return "ok"

    def now_getnow(self, queue):
        return str(self.queues[queue[1]].get_nowait())

    def now_taskdone(self, queue):
        self.queues[queue[1]].task_done()
        return "ok"

    def now_shutdown(self, queue, immediate):
        self.queues[queue[1]].shutdown(bool(immediate))
        return "ok"

    def now_size(self, queue):
        queue = self.queues[queue[1]]
        return f"{queue.qsize()}{' empty' if queue.empty() else ''}{' full' if queue.full() else ''}"
