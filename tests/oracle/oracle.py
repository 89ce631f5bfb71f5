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
q0… queues, x0… timeouts, g0… groups. scenario.py has a table of the words; those of asyncio mean what they mean
there. Statements are numbered in the order of the text, and each leaves a line in the trace:

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
import itertools
import logging
import os
import shlex
import subprocess
import sys
import time
import warnings

sys.dont_write_bytecode = True  # nothing is left beside the sources
from generator import Generator, lacking  # noqa: E402
from scenario import Program, parse, pretty, text_of  # noqa: E402
from world import World  # noqa: E402


class Oracle:
    def __init__(self, options):
        self.options = options
        self.program = shlex.split(os.environ.get("EXAMPLE_WRAPPER", "")) + [options.program]
        known = subprocess.run([options.program, "--words"], capture_output=True, text=True, check=True).stdout.split()
        self.words = ({"eager", "semaphores"} | set(known)) - lacking()
        if options.only:
            self.words &= set(options.only.split(","))
        if options.without:
            self.words -= set(options.without.split(","))

    def scenario(self, seed):
        return Generator(seed, self.words).scenario()

    def on_asyncio(self, bodies):
        return World(Program(bodies, World), not self.options.python_rules).run()

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
