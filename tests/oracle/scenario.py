# SPDX-License-Identifier: MIT
"""Scenarios: what they are made of, and how they are written. At the head of oracle.py stands how to read one.

Word            Arguments                     What it does
mark                                          nothing
raise           E                             raises error E; 0 is a cancellation
return          V                             ends the body, or the `call` around it, with V
call            {}                            awaits a coroutine
repeat          N {}                          N times
try             {} K {} A {}                  try; what is caught (below) and its handler; A: raise it again then; finally
sleep           N
spawn           t H                           H: 1 eagerly, 2 released at once (nobody can refer to it), 3 both
await           t or f
set, fail       f, V or E
cancel, done, look                            t or f
cancelme
uncancel, cancelling, name                    t
rename          t N
context         N                             gives this task the context N, unless that is 0, and tells its own
soon            h {}                          call_soon of statements that cannot wait
later           h N {}                        call_later
when            h (t or f) {}                 add_done_callback
drop            h                             takes one of these back
gather          R (t or f)…                   R: errors are returned
waitfor         N (t or f or {})
wait            U N (t or f)…                 U: 0 all, 1 the first, 2 the first error
shield          t or f
completed       N (t or f)…                   as_completed
timeout, timeoutat, moveon                    x N {}
resched         x N
expired, deadline, cancelscope                x
group           g {}
child           g t H                         H: 0 known to others, 1 eagerly, 2 neither
cancelgroup     g
acquire, tryacquire, release, locked          l, c or s
hold            (l or c or s) {}              async with
condwait, condwaitfor, notify                 c; c e; c N
waitevent, setevent, clear, isset             e
meet, reset, abort, waiting, broken           b: wait, and what else a Barrier can
put, putnow     q V
get, getnow, join, taskdone, size             q
shutdown        q I                           I: immediately

A span of -1 is none; of `try`, 0 catches nothing, 1 a cancellation, 2 any Exception, 3 anything, 4 a timeout, and 5 and 6 errors 1 and 2.
"""
import functools
import itertools

LIMITS = {"t": 8, "f": 4, "h": 4, "l": 2, "e": 2, "c": 1, "s": 4, "b": 2, "q": 5, "x": 8, "g": 4}
FIRST_ERROR, CANCELLATION_KIND, TIMEOUT_KIND, OWN_KIND = 1, 1, 4, 5
NO_LIMIT = -1


class Node:
    __slots__ = ("number", "word", "args", "now", "later")


class Program:
    """A scenario made ready to be run by methods of `runner`: now_WORD, for what cannot wait, or later_WORD."""

    def __init__(self, bodies, runner):
        self.runner = runner
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
        node.now = getattr(self.runner, "now_" + node.word, None)
        node.later = getattr(self.runner, "later_" + node.word, None)
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
