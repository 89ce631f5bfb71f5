# SPDX-License-Identifier: MIT
"""Random scenarios."""
import random

from scenario import CANCELLATION_KIND, LIMITS, NO_LIMIT, OWN_KIND, TIMEOUT_KIND
from world import VERSION, World

# Those that cannot wait, and so can stand in a callback.
QUIET = {name[4:] for name in dir(World) if name.startswith("now_")}

# What a word needs of CPython; rules.md says why. Two are no words: eager tasks, and semaphores among the locks.
NEEDS = {
    (3, 12): "eager waitfor gather timeout timeoutat moveon",
    (3, 13): "uncancel semaphores group cancelscope cancelgroup condwait condwaitfor notify meet reset abort shutdown completed",
}


def lacking():
    """The words that this CPython cannot be asked for."""
    return {word for version, words in NEEDS.items() if VERSION < version for word in words.split()}


# What may wake a task within this step.
WAKES = {"set", "fail", "release", "setevent", "notify", "putnow", "getnow", "taskdone", "shutdown", "cancelscope", "resched"}
SPANS = [1, 1, 2, 2, 3, 3, 4, 5, 7, 10]


class Generator:
    """A scenario from a seed. make_WORD returns the arguments of a statement, or None when it does not fit here."""

    # In families: each scenario prefers some of them, so that their members meet.
    FAMILIES = [
        {"mark": 2, "raise": 3, "return": 1, "spawn": 8, "sleep": 12, "await": 12, "call": 3, "repeat": 2, "try": 10},
        {"cancel": 10, "cancelme": 2, "uncancel": 2, "cancelling": 2},
        {"set": 6, "fail": 3, "done": 3, "look": 2, "name": 1, "rename": 1, "context": 2},
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
    # In a drill most tasks wait, and the main task wakes and cancels them.
    DRILLS = [
        ("get", "putnow shutdown"), ("put", "getnow shutdown"), ("get put", "getnow putnow"), ("join", "putnow getnow taskdone shutdown"),
        ("acquire hold", "release tryacquire locked"), ("hold condwait condwaitfor", "hold notify"), ("waitevent", "setevent clear"),
        ("meet", "meet reset abort"), ("await gather wait shield completed waitfor", "set fail"),
        ("timeout moveon await", "resched cancelscope uncancel"), ("try raise sleep cancel", "group child cancelgroup"),
        ("group child raise try", "cancel sleep"), ("group child raise", "await"),
    ]

    def __init__(self, seed, words):
        self.random = random.Random(seed)
        self.bodies = self.random.randint(2, LIMITS["t"])
        self.allowed = words
        self.weights = self.main_weights = self.other_weights = self.choose_weights()
        if self.chance(0.35):
            self.choose_drill()
        self.quiet_weights = {word: weight for word, weight in self.weights.items()
                              if word in QUIET and word not in ("raise", "return")} or {"mark": 1}
        # Few of a kind, and few lengths of time, so that tasks meet.
        self.range = {kind: self.random.randint(1, limit) if self.chance(0.3) else 1 for kind, limit in LIMITS.items()}
        self.first = {kind: self.random.randint(0, limit - self.range[kind]) for kind, limit in LIMITS.items()}
        self.lock_kinds = "c" if "condwait" in self.other_weights and self.chance(0.6) else self.random.choice(("l", "s", "c", "llssc"))
        self.victim = self.task()
        self.spans = self.random.choice((SPANS, SPANS, [1, 1, 2], [1]))

    def choose_weights(self):
        liking = self.theme() if self.chance(0.6) else [self.random.choice((0, 0, 0.3, 1, 1, 3)) for _ in self.FAMILIES]
        liking[self.CORE] = 1
        weights = {"sleep": self.random.choice((5, 20, 40))}
        for liked, family in zip(liking, self.FAMILIES):
            for word, weight in family.items():
                weight *= liked * self.random.choice((0.2, 0.5, 1, 1, 2, 4))
                if word in self.allowed and weight > 0:
                    weights[word] = max(weight, weights.get(word, 0))
        return weights

    def choose_drill(self):
        waits, wakes = (set(words.split()) & self.allowed for words in self.random.choice(self.DRILLS))
        if waits and wakes:
            self.other_weights = {**{word: 20 for word in sorted(waits)}, "sleep": 8, "try": 5, "repeat": 2}
            self.main_weights = {**{word: 20 for word in sorted(wakes)}, "cancel": 15, "sleep": 15}

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
            self.k, self.depth = k, 0
            self.budget = self.random.randint(2, 20)
            self.weights = self.main_weights if k == 0 else self.other_weights
            block = self.block(self.random.randint(2, 10))
            if k == 0:
                block = self.spawns() + block + ([("sleep", 30)] if self.chance(0.4) else [])
            bodies.append(block)
        return bodies

    def spawns(self):
        share = 0.3 if "group" in self.main_weights else 0.85  # the others may become children of groups
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
        cancel = ("cancel", self.task() if self.chance(0.4) else self.victim)
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
        return (self.random.randint(10, 99),)

    def make_spawn(self):
        return (self.task(), int(self.chance(0.3) and "eager" in self.allowed) + 2 * self.chance(0.15))

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

    def make_context(self):
        return (self.random.choice((0, 0, 1, 2, 3)),)

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
        kind = self.random.choice((0, 0, 1, 1, 1, 2, 3, TIMEOUT_KIND, OWN_KIND, OWN_KIND + 1))
        handler = self.inner(3) if kind and self.chance(0.8) else []
        if kind == CANCELLATION_KIND and self.chance(0.2):
            handler = handler + [("raise", self.random.randint(1, 3))]
        final = self.inner(3) if self.chance(0.5) else []
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
        kind = self.random.choice(self.lock_kinds)
        return self.pick("l" if kind == "s" and "semaphores" not in self.allowed else kind)

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
