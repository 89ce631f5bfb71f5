#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs random scenarios on CPython's asyncio and on pawl, and compares what happens, event by event.

A scenario is a list of bodies; body k is what task k runs, and task 0 is the main task. A body is a block of statements:

    {                                   task 0
        spawn t1 0 ;                    lazily; 1: eagerly
        timeout x0 5 {                  async with timeout(5)
            await t1 ;
        } ;
        set f0 7 ;
    }

A statement is a word, its arguments and a semicolon. An argument is a number, a block, or one of the things that every
scenario has: t0… tasks, f0… futures, h0… callbacks, l0… locks, e0… events, c0… conditions, s0… semaphores, b0… barriers,
q0… queues, x0… timeouts, g0… groups. The table OPERATIONS below says what each word takes; the words of asyncio mean what
they mean there. Statements are numbered in the order of the text, and each leaves a line in the trace:

    12 t3 17 acquire >                  at time 12 task 3 begins statement 17
    15 t3 17 acquire = cancelled        and leaves it with this outcome

Both clocks are virtual. Timers due at one time fire in the order in which they were armed, on both sides: asyncio's heap
does not promise that, so its timers are given an order. When nothing can run any more, `deadlock` is traced; then, as at
the end of asyncio.run, all tasks are cancelled in the order in which they were made, until they have ended. At last the
errors are told that nobody looked at.

A difference is made as small as possible, and printed: the scenario, and both traces from where they part; < is asyncio's
line, > is pawl's. Which rule pawl follows where CPython's versions differ is in rules.md; what a version lacks is left out of
its scenarios. Where pawl means to differ, the Python side does as pawl does (search for `pawl_rules`), unless --python-rules
is given.

Usage: oracle.py PROGRAM [--seeds N] [--first S] [--batch N] [--tap] [--python-rules] [--keep-going] [--show SEED]
                         [--run FILE] [--only WORD,WORD] [--without WORD,WORD]

EXAMPLE_WRAPPER (a command line, such as valgrind's) goes before the program.
"""
import argparse
import asyncio
import functools
import heapq
import itertools
import logging
import os
import random
import shlex
import subprocess
import sys
import threading
import time
import warnings

VERSION = sys.version_info[:2]
MOST_EVENTS = 400
MOST_ROUNDS = 8
FIRST_ERROR, CANCELLATION_KIND, TIMEOUT_KIND = 1, 1, 4
NO_LIMIT = -1
LIMITS = {"t": 8, "f": 4, "h": 4, "l": 2, "e": 2, "c": 1, "s": 4, "b": 2, "q": 5, "x": 8, "g": 4}

# ---- Virtual time ---------------------------------------------------------------------------------------------------


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


class Group(asyncio.TaskGroup):
    """asyncio's of today, whose children are cancelled in their order; and pawl_group_cancel."""

    def __init__(self):
        super().__init__()
        self._tasks = OrderedSet()
        self.asked = False

    def create_task(self, coro, **options):
        if not self._entered or self._aborting or (self._exiting and not self._tasks):
            raise RuntimeError
        task = self._loop.create_task(coro, **options)
        self._tasks.add(task)  # also when it has ended already (gh-128550, gh-128588)
        task.add_done_callback(self._on_task_done)
        return task

    def cancel(self):
        if self._aborting:
            return False
        self._abort()
        if not self._exiting:
            self.asked = self._parent_cancel_requested = True
            self._parent_task.cancel()
        return True

    async def __aexit__(self, kind, *error):
        await super().__aexit__(kind, *error)
        return self.asked and kind is asyncio.CancelledError and self._parent_task.cancelling() == 0


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


# ---- Errors and outcomes --------------------------------------------------------------------------------------------


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
    if number >= 5:
        return Failure
    return ((), asyncio.CancelledError, Exception, BaseException, asyncio.TimeoutError)[number]


# ---- Scenarios ------------------------------------------------------------------------------------------------------


class Node:
    __slots__ = ("number", "word", "args", "now", "later")


class Program:
    """A scenario made ready to be run."""

    def __init__(self, bodies):
        self.count = 0
        self.bodies = [self.block(body) for body in bodies]

    def block(self, statements):
        return [self.node(statement) for statement in statements]

    def node(self, statement):
        node = Node()
        node.number = self.count
        self.count += 1
        node.word = statement[0]
        node.args = [self.block(arg) if isinstance(arg, list) else parse_reference(arg) for arg in statement[1:]]
        node.now = getattr(World, "now_" + node.word, None)
        node.later = getattr(World, "later_" + node.word, None)
        return node


@functools.lru_cache(maxsize=None)
def parse_reference(arg):
    return (arg[0], int(arg[1:])) if isinstance(arg, str) else arg


def text_of(bodies):
    """As pawl's side reads it."""
    words = []

    def put(block):
        words.append("{")
        for statement in block:
            words.append(statement[0])
            for arg in statement[1:]:
                put(arg) if isinstance(arg, list) else words.append(str(arg))
            words.append(";")
        words.append("}")

    for body in bodies:
        put(body)
    return " ".join(words) + " .\n"


def pretty(bodies):
    """For people, with the numbers of the statements."""
    lines, count = [], itertools.count()

    def put(block, indent):
        for statement in block:
            line = f"{next(count):4} {'    ' * indent}{statement[0]}"
            for arg in statement[1:]:
                if isinstance(arg, list):
                    lines.append(line + " {")
                    put(arg, indent + 1)
                    line = f"{'':4} {'    ' * indent}}}"
                else:
                    line += f" {arg}"
            lines.append(line + " ;")

    for k, body in enumerate(bodies):
        lines.append(f"     {{    task {k}")
        put(body, 1)
        lines.append("     }")
    return "\n".join(lines)


def parse(text):
    """The bodies of a scenario, from what `text_of` or `pretty` made of it."""
    words = iter([word for line in text.split("\n") for word in line.split("    task ")[0].split()])

    def block():
        statements = []
        for word in words:
            if word == "}":
                return statements
            if word.isdigit():  # the number of a statement
                continue
            statement = [word]
            for arg in words:
                if arg == ";":
                    break
                statement.append(block() if arg == "{" else int(arg) if arg.lstrip("-").isdigit() else arg)
            statements.append(tuple(statement))
        return statements

    return [block() for word in words if word == "{"]


# ---- The Python side ------------------------------------------------------------------------------------------------


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
        return task

    def now_mark(self):
        return "here"

    def now_raise(self, number):
        raise Failure(number) if number > 0 else asyncio.CancelledError

    def now_return(self, value):
        raise AssertionError("dealt with before")

    def now_spawn(self, task, eager):
        return "new" if self.spawn(task[1], bool(eager)) else "none"

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
        try:
            return await self.block(nodes)
        except kind_of(kind) as error:
            if kind >= 5 and error.number != kind - 5 + FIRST_ERROR:
                raise
            self.say(f"{node.number} try caught {name_of(error)}")
            returned = await self.block(handler)
            if returned is None and again:
                raise
            return returned
        finally:
            self.say(f"{node.number} try finally")
            await self.block(final)

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


# ---- The generator --------------------------------------------------------------------------------------------------

# What a word needs of CPython; rules.md says why.
NEEDS = {
    (3, 12): "eager waitfor gather timeout timeoutat moveon",
    (3, 13): "uncancel group cancelscope cancelgroup condwait condwaitfor notify meet reset abort shutdown completed",
}

# What may wake a task within this step.
WAKES = {"set", "fail", "release", "setevent", "notify", "putnow", "getnow", "taskdone", "shutdown", "cancelscope", "resched"}
SPANS = [1, 1, 2, 2, 3, 3, 4, 5, 7, 10]


class Generator:
    """A scenario from a seed. make_WORD returns the arguments of a statement, or None when it does not fit here."""

    # In families: each scenario prefers some of them, so that their members meet.
    FAMILIES = [
        {"mark": 2, "raise": 3, "return": 1, "spawn": 8, "sleep": 12, "await": 12, "call": 3, "repeat": 2, "try": 10},
        {"cancel": 10, "cancelme": 2, "uncancel": 2, "cancelling": 2},
        {"set": 6, "fail": 3, "done": 3, "look": 2, "name": 1, "rename": 1},
        {"soon": 3, "later": 4, "when": 4, "drop": 3},
        {"gather": 6, "waitfor": 6, "wait": 5, "shield": 5, "completed": 5},
        {"timeout": 6, "timeoutat": 2, "moveon": 3, "resched": 3, "expired": 1, "deadline": 1, "cancelscope": 2},
        {"group": 8, "child": 4, "cancelgroup": 1, "try": 6, "raise": 3},
        {"acquire": 5, "hold": 8, "tryacquire": 2, "release": 5, "locked": 2},
        {"condwait": 5, "condwaitfor": 3, "notify": 6, "hold": 5, "setevent": 2},
        {"waitevent": 4, "setevent": 3, "clear": 2, "isset": 1},
        {"meet": 8, "reset": 1, "abort": 1, "waiting": 1, "broken": 1},
        {"put": 8, "get": 8, "join": 3, "putnow": 4, "getnow": 4, "taskdone": 4, "shutdown": 1, "size": 1},
    ]
    CORE, CANCEL = 0, 1

    def __init__(self, seed, words):
        self.random = random.Random(seed)
        self.bodies = self.random.randint(2, LIMITS["t"])
        self.allowed = words
        self.weights = self.choose_weights()
        self.quiet_weights = {word: weight for word, weight in self.weights.items()
                              if hasattr(World, "now_" + word) and word not in ("raise", "return")} or {"mark": 1}
        # Few of a kind, and few lengths of time, so that tasks meet.
        self.range = {kind: self.random.randint(1, limit) if self.chance(0.3) else 1 for kind, limit in LIMITS.items()}
        self.first = {kind: self.random.randint(0, limit - self.range[kind]) for kind, limit in LIMITS.items()}
        self.lock_kinds = "c" if "condwait" in self.weights and self.chance(0.6) else self.random.choice(("l", "s", "c", "llssc"))
        self.spans = self.random.choice((SPANS, SPANS, [1, 1, 2], [1]))

    def choose_weights(self):
        liking = self.theme() if self.chance(0.6) else [self.random.choice((0, 0, 0.3, 1, 1, 3)) for _ in self.FAMILIES]
        liking[self.CORE] = 1
        weights = {"sleep": self.random.choice((5, 20, 40))}
        for liked, family in zip(liking, self.FAMILIES):
            for word, weight in family.items():
                weight *= liked * self.random.choice((0.3, 1, 1, 2))
                if word in self.allowed and weight > 0:
                    weights[word] = max(weight, weights.get(word, 0))
        return weights

    def theme(self):
        """One or two families, and little else."""
        liking = [0] * len(self.FAMILIES)
        for _ in range(self.random.randint(1, 2)):
            liking[self.random.randrange(self.CANCEL, len(liking))] = 4
        liking[self.CANCEL] = max(liking[self.CANCEL], self.random.choice((0, 0.3, 1)))
        return liking

    def scenario(self):
        bodies = []
        for k in range(self.bodies):
            self.k, self.depth, self.final = k, 0, 0
            self.budget = self.random.randint(2, 20)
            block = self.block(self.random.randint(2, 10))
            if k == 0:
                block = self.spawns() + block + ([("sleep", 30)] if self.chance(0.4) else [])
            bodies.append(block)
        return bodies

    def spawns(self):
        share = 0.3 if "group" in self.weights else 0.85  # the others may become children of groups
        return [("spawn", f"t{k}", int(self.chance(0.2) and "eager" in self.allowed)) for k in range(1, self.bodies) if self.chance(share)]

    def chance(self, share):
        return self.random.random() < share

    def pick(self, kind):
        return f"{kind}{self.first[kind] + self.random.randrange(self.range[kind])}"

    def span(self):
        return self.random.choice(self.spans)

    def block(self, size, quiet=False):
        statements = []
        for _ in range(size):
            if self.budget <= 0:
                break
            statement = self.statement(quiet)
            if statement:
                statements += self.raced(statement)
        return statements

    def raced(self, statement):
        """What wakes somebody, now and then together with a cancellation in the same step."""
        if statement[0] not in WAKES or "cancel" not in self.allowed or self.chance(0.8):
            return [statement]
        cancel = ("cancel", self.task())
        return [statement, cancel] if self.chance(0.7) else [cancel, statement]

    def statement(self, quiet):
        weights = self.quiet_weights if quiet else self.weights
        for _ in range(5):
            word = self.random.choices(list(weights), weights.values())[0]
            args = getattr(self, "make_" + word)()
            if args is not None:
                self.budget -= 1
                return (word, *args)
        return None

    def inner(self, most=4, quiet=False):
        self.depth += 1
        block = self.block(self.random.randint(1, most), quiet)
        self.depth -= 1
        return block

    def task(self, below=False):
        """Any task; `below`: one that this one may be in a chain of awaits with, so that no circle comes about."""
        if below:
            return f"t{self.random.randint(self.k + 1, self.bodies - 1)}" if self.k + 1 < self.bodies else None
        return f"t{self.random.randrange(self.bodies)}"

    def future_or_task(self, below=False):
        return self.pick("f") if self.chance(0.35) else self.task(below) or self.pick("f")

    def make_mark(self):
        return ()

    def make_raise(self):
        return (self.random.choice((0, 1, 1, 2, 2, 3)),)

    def make_return(self):
        return None if self.final else (self.random.randint(10, 99),)

    def make_spawn(self):
        return (self.task(), int(self.chance(0.3) and "eager" in self.allowed))

    def make_set(self):
        return (self.pick("f"), self.random.randint(10, 99))

    def make_fail(self):
        return (self.pick("f"), self.random.randint(1, 3))

    def make_cancel(self):
        return (self.future_or_task() if self.chance(0.3) else self.task(),)

    def make_cancelme(self):
        return ()

    def make_uncancel(self):
        return (self.task(),)

    make_cancelling = make_name = make_uncancel

    def make_done(self):
        return (self.future_or_task(),)

    make_look = make_done

    def make_rename(self):
        return (self.task(), self.random.randint(0, 2))

    def make_soon(self):
        return None if self.depth > 3 else (self.pick("h"), self.inner(3, quiet=True))

    def make_later(self):
        return None if self.depth > 3 else (self.pick("h"), self.span(), self.inner(3, quiet=True))

    def make_when(self):
        return None if self.depth > 3 else (self.pick("h"), self.future_or_task(), self.inner(3, quiet=True))

    def make_drop(self):
        return (self.pick("h"),)

    def make_sleep(self):
        return (0 if self.chance(0.4) else self.span(),)

    def make_await(self):
        return (self.future_or_task(below=True),)

    def make_call(self):
        return None if self.depth > 4 else (self.inner(),)

    def make_repeat(self):
        return None if self.depth > 2 else (self.random.randint(2, 3), self.inner(3))

    def make_try(self):
        if self.depth > 4:
            return None
        body = self.inner(5)
        kind = self.random.choice((0, 0, 1, 1, 1, 2, 3, TIMEOUT_KIND, 5, 6))
        handler = self.inner(3) if kind and self.chance(0.8) else []
        if kind == CANCELLATION_KIND and self.chance(0.2):
            handler = handler + [("raise", self.random.randint(1, 3))]
        self.final += 1
        final = self.inner(3) if self.chance(0.5) else []
        self.final -= 1
        return (body, kind, handler, int(self.chance(0.4)), final)

    def some(self, below=True):
        references = {self.future_or_task(below): None for _ in range(self.random.randint(1, 4))}
        return [*references]

    def make_gather(self):
        references = [] if self.chance(0.05) else self.some()
        if references and self.chance(0.2):
            references.append(self.random.choice(references))
        return (int(self.chance(0.4)), *references)

    def make_waitfor(self):
        span = self.random.choice((0, -1)) if self.chance(0.15) else self.span()
        if self.depth <= 4 and self.chance(0.5):
            return (span, self.inner())
        return (span, self.future_or_task(below=True))

    def others(self):
        return [one for one in self.some(below=False) if one != f"t{self.k}"]

    def make_wait(self):
        return (self.random.randint(0, 2), self.random.choice((NO_LIMIT, NO_LIMIT, 0, self.span(), self.span())), *self.others())

    def make_shield(self):
        return (*self.others()[:1],) or None

    def make_completed(self):
        return (self.random.choice((NO_LIMIT, NO_LIMIT, 0, self.span(), self.span())), *self.others())

    def make_child(self):
        return (self.pick("g"), self.task(), 1 if self.chance(0.25) and "eager" in self.allowed else self.random.choice((0, 0, 2)))

    def make_cancelgroup(self):
        return (self.pick("g"),)

    def make_group(self):
        if self.depth > 4:
            return None
        name = self.pick("g")
        block = [("child", name, *self.make_child()[1:]) for _ in range(self.random.randint(0, 4)) if "child" in self.allowed]
        block += self.inner()
        return (name, block + [("raise", self.random.randint(1, 3))] if self.chance(0.15) else block)

    def inner_with(self, word, name, count=1):
        """A block in which, mostly, `word` is said of `name`."""
        block = self.inner()
        if word in self.allowed and self.chance(0.5):
            at = self.random.randint(0, len(block))
            block[at:at] = [(word, name) if count is None else (word, name, count)]
        return block

    def limit(self):
        return NO_LIMIT if self.chance(0.1) else self.random.choice((0, -2)) if self.chance(0.1) else self.span()

    def make_timeout(self):
        return None if self.depth > 4 else (self.pick("x"), self.limit(), self.inner())

    make_moveon = make_timeout

    def make_timeoutat(self):
        return None if self.depth > 4 else (self.pick("x"), NO_LIMIT if self.chance(0.1) else self.random.randint(0, 20), self.inner())

    def make_resched(self):
        return (self.pick("x"), self.limit())

    def make_expired(self):
        return (self.pick("x"),)

    make_deadline = make_cancelscope = make_expired

    def locklike(self):
        return self.pick(self.random.choice(self.lock_kinds))

    def make_acquire(self):
        return (self.locklike(),)

    make_tryacquire = make_release = make_acquire

    def make_locked(self):
        return (self.locklike(),)

    def make_hold(self):
        if self.depth > 4:
            return None
        what = self.locklike()
        if what[0] == "c" and self.chance(0.7):
            return (what, self.inner_with("condwait", what, None) if self.chance(0.6) else self.inner_with("notify", what, self.few()))
        return (what, self.inner())

    def few(self):
        return self.random.choice((-1, 1, 1, 2))

    def make_condwait(self):
        return (self.pick("c"),)

    def make_condwaitfor(self):
        return (self.pick("c"), self.pick("e"))

    def make_notify(self):
        return (self.pick("c"), self.few())

    def make_waitevent(self):
        return (self.pick("e"),)

    make_setevent = make_clear = make_isset = make_waitevent

    def make_meet(self):
        return (self.pick("b"),)

    make_reset = make_abort = make_waiting = make_broken = make_meet

    def make_put(self):
        return (self.pick("q"), self.random.randint(10, 99))

    make_putnow = make_put

    def make_get(self):
        return (self.pick("q"),)

    make_join = make_getnow = make_taskdone = make_size = make_get

    def make_shutdown(self):
        return (self.pick("q"), int(self.chance(0.4)))


# ---- Both sides -----------------------------------------------------------------------------------------------------


class Oracle:
    def __init__(self, options):
        self.options = options
        self.program = shlex.split(os.environ.get("EXAMPLE_WRAPPER", "")) + [options.program]
        known = subprocess.run([options.program, "--words"], capture_output=True, text=True, check=True).stdout.split()
        missing = {word for version, words in NEEDS.items() if VERSION < version for word in words.split()}
        self.words = set(known) - missing
        if options.only:
            self.words &= set(options.only.split(","))
        if options.without:
            self.words -= set(options.without.split(","))

    def scenario(self, seed):
        return Generator(seed, self.words).scenario()

    def on_asyncio(self, bodies):
        return World(Program(bodies), not self.options.python_rules).run()

    def on_pawl(self, scenarios):
        """The traces; fewer when the program died."""
        done = subprocess.run(self.program, input="".join(map(text_of, scenarios)), capture_output=True, text=True, errors="replace")
        traces = [part.strip("\n").split("\n") for part in done.stdout.split("\n.\n")[:-1]]
        if len(traces) < len(scenarios) or done.returncode != 0:
            del traces[len(scenarios) - 1:]
            traces.append([f"the program died with {done.returncode}"] + done.stderr.split("\n")[:40])
        return traces

    def differs(self, bodies):
        return self.on_asyncio(bodies) != self.on_pawl([bodies])[0]

    def run(self, first, count):
        """The seeds that differ."""
        for start in range(first, first + count, self.options.batch):
            seeds = range(start, min(start + self.options.batch, first + count))
            scenarios = [self.scenario(seed) for seed in seeds]
            while scenarios:
                traces = self.on_pawl(scenarios)
                for seed, bodies, trace in zip(seeds, scenarios, traces):
                    expected = self.on_asyncio(bodies)
                    self.events += len(expected)
                    if expected != trace:
                        yield seed, bodies
                scenarios, seeds = scenarios[len(traces):], seeds[len(traces):]

    events = 0


# ---- Making a difference small --------------------------------------------------------------------------------------


def smaller_blocks(block):
    """Each block that has one thing less than this one."""
    size = len(block)
    for length in (size // 2, size // 4, 1):
        if length:
            for at in range(0, size, length):
                yield block[:at] + block[at + length:]
    for at, statement in enumerate(block):
        for i, arg in enumerate(statement):
            if isinstance(arg, list):
                if statement[0] not in ("soon", "later", "when"):
                    yield block[:at] + arg + block[at + 1:]
                for inner in smaller_blocks(arg):
                    yield block[:at] + [statement[:i] + (inner,) + statement[i + 1:]] + block[at + 1:]
            elif isinstance(arg, int) and arg > 1:
                yield block[:at] + [statement[:i] + (1,) + statement[i + 1:]] + block[at + 1:]
        if statement[0] in ("gather", "wait", "completed") and len(statement) > 3:
            for i in range(2, len(statement)):
                if isinstance(statement[i], str):
                    yield block[:at] + [statement[:i] + statement[i + 1:]] + block[at + 1:]


def smaller(bodies):
    if len(bodies) > 1:
        yield bodies[:-1]
    for k, body in enumerate(bodies):
        if body:
            yield bodies[:k] + [[]] + bodies[k + 1:]
        for block in smaller_blocks(body):
            yield bodies[:k] + [block] + bodies[k + 1:]


def shrink(bodies, differs, patience=20):
    """The smallest scenario that still differs, as far as it is found within so many seconds."""
    end = time.monotonic() + patience
    again = True
    while again and time.monotonic() < end:
        again = False
        for candidate in smaller(bodies):
            if time.monotonic() > end:
                break
            if differs(candidate):
                bodies, again = candidate, True
                break
    return bodies


def describe(oracle, bodies):
    expected, got = oracle.on_asyncio(bodies), oracle.on_pawl([bodies])[0]
    lines = [pretty(bodies)]
    for ours, theirs in itertools.zip_longest(expected, got):
        lines += [f"      {ours}"] if ours == theirs else [f"    < {ours}", f"    > {theirs}"]
    return "\n".join(lines)


# ---- The program ----------------------------------------------------------------------------------------------------


def parse_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--tap", action="store_true")
    parser.add_argument("--python-rules", action="store_true")
    parser.add_argument("--keep-going", type=int, default=1, metavar="N", help="stop after N differences")
    parser.add_argument("--show", type=int, metavar="SEED")
    parser.add_argument("--run", metavar="FILE")
    parser.add_argument("--only")
    parser.add_argument("--without")
    return parser.parse_args()


def report(seed, oracle, bodies, comment):
    small = shrink(bodies, oracle.differs)
    for line in f"seed {seed}\n{describe(oracle, small)}".split("\n"):
        print(comment + line)


def main():
    options = parse_options()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")  # of what is still there when a scenario is dropped
    sys.unraisablehook = lambda _: None
    oracle = Oracle(options)
    comment = "# " if options.tap else ""
    if options.show is not None or options.run:
        bodies = parse(open(options.run).read()) if options.run else oracle.scenario(options.show)
        print(describe(oracle, bodies))
        return 0
    begin, failed = time.monotonic(), 0
    for seed, bodies in oracle.run(options.first, options.seeds):
        failed += 1
        report(seed, oracle, bodies, comment)
        if failed >= options.keep_going:
            break
    spent = time.monotonic() - begin
    print(f"{comment}CPython {sys.version.split()[0]}: {options.seeds} seeds from {options.first}, {oracle.events} events, "
          f"{failed} differ, {spent:.1f} s")
    if options.tap:
        print("1..1\n" + ("ok" if failed == 0 else "not ok") + " 1 - asyncio and pawl do the same")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
