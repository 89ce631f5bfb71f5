#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the pages of this folder, which have a row for each test function of CPython's asyncio; prints TAP.

A page is called after a module of CPython's test.test_asyncio and has a table of

    | Class.test_name | tests/core/test_x.c: name_of_a_test |              covered by one test here,
    | Class.test_name | tests/core/test_x.c: one, two; tests/core/test_y.c: three |    or by several together,
    | Class.test_name | — why it has no meaning in C |                     or by none.

Back quotes around names do no harm. A row must name tests that their file has and enters into its suite; no row may be there twice.
Once all pages are there, LEAST rows must be covered. With a CPython on this machine that has its test package, whatever that
version's module defines must have a row; rows may be more, since versions differ.

Usage: check_table.py SOURCE_ROOT
"""
import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

MODULES = ("test_futures", "test_tasks", "test_eager_task_factory", "test_locks", "test_queues", "test_taskgroups",
           "test_timeouts", "test_waitfor", "test_streams", "test_server")
LEAST = 300
# The tables are of this version. What a later one adds or renames is told, and is no failure.
NEWEST = (3, 13)
FIND_TESTS = ("import sys, importlib.util as u\n"
              "s = u.find_spec('test.test_asyncio') if sys.version_info >= (3, 11) and sys.implementation.name == 'cpython' else None\n"
              "print('%d.%d' % sys.version_info[:2], s.origin if s else '')")


class Page:
    def __init__(self, root, module):
        self.root, self.module = root, module
        self.path = root / "tests" / "cpython" / f"{module}.md"
        self.rows, self.problems, self.covered = {}, [], 0

    def read(self):
        for number, line in enumerate(self.path.read_text().splitlines(), 1):
            row = re.match(r"^\|\s*`?(\w+\.test_\w+)`?\s*\|(.*)\|\s*$", line)
            if row:
                self.add(number, row.group(1), row.group(2).replace("`", "").strip())
            elif line.startswith("|") and ".test_" in line.split("|")[1]:
                self.problems.append(f"line {number}: this row cannot be read")

    def add(self, number, name, text):
        if name in self.rows:
            self.problems.append(f"line {number}: {name} has a row already, line {self.rows[name]}")
            return
        self.rows[name] = number
        if text.startswith("—"):
            if len(text) < 10:
                self.problems.append(f"line {number}: {name} is not covered, and nobody says why")
            return
        wrong = [problem for part in text.split(";") for problem in self.problems_of(part.strip())]
        self.problems += [f"line {number}: {name}: {problem}" for problem in wrong]
        self.covered += not wrong

    def problems_of(self, part):
        match = re.match(r"^(tests/[\w/]+\.c):\s*(\w+(?:,\s*\w+)*)$", part)
        if not match:
            return [f"'{part}' is neither 'tests/….c: name' nor '— why not'"]
        file, names = match.group(1), re.split(r",\s*", match.group(2))
        if not (self.root / file).is_file():
            return [f"there is no {file}"]
        text = (self.root / file).read_text()
        return [f"{file} has no test {name}" for name in names if not has_test(text, name)]


def has_test(text, name):
    entered = re.search(rf"\btcase_add_\w+\([^;]*\b{name}\b", text)
    return entered is not None and re.search(rf"\bSTART_TEST\({name}\)", text) is not None


def tests_of_cpython():
    """The folders of test.test_asyncio that are found, by version."""
    found = {}
    for program in (sys.executable, *(f"python3.{minor}" for minor in range(11, 16))):
        if shutil.which(program) is None:
            continue
        answer = subprocess.run([program, "-c", FIND_TESTS], capture_output=True, text=True, timeout=60)
        version, _, origin = answer.stdout.strip().partition(" ")
        if answer.returncode == 0 and origin:
            found.setdefault(version, Path(origin).parent)
    return found


def functions_of(node, class_name=None):
    """Class.test_name of each test function, wherever the class stands."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from functions_of(child, child.name)
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if class_name and child.name.startswith("test_"):
                yield f"{class_name}.{child.name}"
        elif isinstance(child, ast.stmt):
            yield from functions_of(child, class_name)


def missing_from(page, folder):
    source = folder / f"{page.module}.py"
    if not source.is_file():
        return []
    return [name for name in functions_of(ast.parse(source.read_text())) if name not in page.rows]


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def say(self, name, problems):
        self.count += 1
        self.failed += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {self.count} - {name}")
        for problem in problems:
            print(f"# {problem}")

    def skip(self, name, why):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {why}")


def check_limit(tap, pages):
    covered, rows = sum(page.covered for page in pages), sum(len(page.rows) for page in pages)
    name = f"{covered} of {rows} rows are covered, at least {LEAST} must be"
    if len(pages) < len(MODULES):
        tap.skip(name, f"{len(MODULES) - len(pages)} pages are not there yet")
    else:
        tap.say(name, [] if covered >= LEAST else [f"{covered} < {LEAST}"])


def main():
    root, tap = Path(sys.argv[1]).resolve(), Tap()
    pages = [page for page in (Page(root, module) for module in MODULES) if page.path.is_file()]
    versions = tests_of_cpython()
    for page in pages:
        page.read()
        tap.say(f"{page.module}: {page.covered} of {len(page.rows)} rows covered", page.problems)
        for version, folder in versions.items():
            missing = [f"no row for {name}" for name in missing_from(page, folder)]
            name = f"{page.module}: every test function of CPython {version} has a row"
            if missing and tuple(map(int, version.split("."))) > NEWEST:
                tap.skip(name, f"{len(missing)} are not in CPython {NEWEST[0]}.{NEWEST[1]}")
            else:
                tap.say(name, missing)
    if not versions:
        tap.skip("every test function of CPython has a row", "no CPython of 3.11 or newer with its test package")
    check_limit(tap, pages)
    print(f"1..{tap.count}")
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
