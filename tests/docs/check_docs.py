#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks every fenced block and every link of README.md, CHANGELOG.md and the pages below docs; prints TAP.

c        is compiled with all warnings as errors. With `int main` it is linked and run, must exit with 0 and say nothing on
         stderr, and what it prints is compared with the ```text block that follows, if one does. A comment before a block
         may say how it is to be completed:
             <!-- test: wrap file -->                      declarations: they get the includes
             <!-- test: wrap function [DECLARATIONS] -->   statements, in a function
             <!-- test: wrap coroutine [MEMBERS] -->       statements, in a coroutine whose frame has these members
             <!-- test: append -->                         goes on where the block before ended; compiled together
sh       each command is known, each path of this tree exists, each option of a tool or of Meson too.
console  the same for the lines that begin with `$ `.
meson    is configured as a project that has this tree as its subproject.

Every name that begins with pawl_ or PAWL_ is in a header (`PAWL_E…` is no name). A row of a table that begins with `pawl_x` and a
number of bytes says the size of struct pawl_x where pointers have 64 bits. README.md must have a row for each option of
meson_options.txt.

EXAMPLE_WRAPPER (a command line, such as valgrind's) goes before the programs that are run. PAWL_TLS has the libraries for a
program that includes <pawl/tls.h> itself; without it such a program is skipped.

Usage: check_docs.py SOURCE_ROOT LIBRARY COMPILER [ARGUMENT ...]
"""
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PRELUDE = "".join(f"#include <{name}>\n" for name in ("errno.h", "stdio.h", "stdlib.h", "string.h", "pawl/pawl.h", "pawl/tls.h"))
WRAPPERS = {
    "file": PRELUDE + "{code}\n",
    "function": PRELUDE + "static void fragment(void)\n{{\n{extra}\n{code}\n}}\n",
    "coroutine": PRELUDE + "struct fragment {{ COROUTINE(int); {extra} }};\n"
                           "ASYNC(fragment)\n{{\nASYNC_BEGIN(fragment);\n{code}\nASYNC_END;\n}}\n",
}
COMMANDS = {"meson", "ninja", "cc", "gcc", "clang", "arm-none-eabi-gcc", "pkg-config", "git", "cd", "nc", "echo", "valgrind"}
BUILTIN_OPTIONS = {"buildtype", "b_sanitize", "b_lundef", "prefix", "default_library", "c_std", "werror", "c_args", "optimization"}


class Block:
    def __init__(self, page, line, language, directive):
        self.page, self.line, self.language, self.directive = page, line, language, directive
        self.lines = []

    @property
    def text(self):
        return "".join(self.lines)

    @property
    def name(self):
        return f"{self.page}:{self.line} {self.language or 'plain'} block"


class Failure(Exception):
    pass


class Skipped(Exception):
    pass


def blocks_of(page, text):
    """The fenced blocks in order. A directive that no block follows is an error."""
    found, block, directive = [], None, None
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        fence = re.match(r"^```(\w*)\s*$", line)
        if block is not None:
            if fence:
                found.append(block)
                block = None
            else:
                block.lines.append(line)
        elif fence:
            block = Block(page, number, fence.group(1), directive)
            directive = None
        elif match := re.match(r"^<!-- test: (.*) -->\s*$", line):
            directive = match.group(1)
        elif line.strip() and directive is not None:
            raise Failure(f"{page}:{number}: the test comment before this line has no block")
    if block is not None:
        raise Failure(f"{page}:{block.line}: this block has no end")
    return found


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, **options)


class Checker:
    def __init__(self, root, library, compiler, scratch):
        self.root, self.library, self.compiler, self.scratch = root, library, compiler, scratch
        self.options = self.meson_options()
        self.sample = "int main(void) { return 0; }\n"

    def meson_options(self):
        text = (self.root / "meson_options.txt").read_text()
        found = {}
        for name, rest in re.findall(r"option\('(\w+)'(.*?)\)\n", text + "\n", re.S):
            choices = re.search(r"choices: \[(.*?)\]", rest)
            boolean = "type: 'boolean'" in rest
            found[name] = re.findall(r"'([^']+)'", choices.group(1)) if choices else ["true", "false"] if boolean else None
        return found

    # ---- C ----

    def complete(self, block, before):
        if block.directive is None:
            return block.text
        word, _, rest = block.directive.partition(" ")
        if word == "append" and not rest:
            if before is None:
                raise Failure("there is no block before it to append to")
            return before + block.text
        kind, _, extra = rest.partition(" ")
        if word != "wrap" or kind not in WRAPPERS or (kind == "file" and extra):
            raise Failure(f"unknown test comment: {block.directive}")
        return WRAPPERS[kind].format(code=block.text, extra=extra)

    def check_c(self, block, before, expected):
        code = self.complete(block, before)
        source, program = self.scratch / "block.c", self.scratch / "block"
        source.write_text(code)
        command = [*self.compiler, f"-I{self.root}/include", str(source)]
        has_main = re.search(r"^int main\(", code, re.M) is not None
        if not has_main:
            command += ["-c", "-Wno-unused-function", "-Wno-unused-variable", "-o", os.devnull]
        else:
            command += [*self.tls_libraries(code), self.library, "-pthread", "-o", str(program)]
        built = run(command)
        if built.returncode != 0:
            raise Failure(built.stderr)
        if has_main:
            self.check_run(program, expected)
        elif expected is not None:
            raise Failure("a text block follows, but there is no main to run")
        if has_main:
            self.sample = code
        return code

    @staticmethod
    def tls_libraries(code):
        if "#include <pawl/tls.h>" not in code:
            return []
        if "PAWL_TLS" not in os.environ:
            raise Skipped("TLS is not built")
        return os.environ["PAWL_TLS"].split()

    @staticmethod
    def check_run(program, expected):
        wrapper = shlex.split(os.environ.get("EXAMPLE_WRAPPER", ""))
        ran = run([*wrapper, str(program)])
        if ran.returncode != 0 or (ran.stderr and not wrapper):
            raise Failure(f"status {ran.returncode}; stderr: {ran.stderr}")
        if expected is not None and ran.stdout != expected:
            raise Failure(f"it printed:\n{ran.stdout}not:\n{expected}")

    # ---- Commands ----

    def check_commands(self, lines):
        for line in lines:
            for part in re.split(r"\s*(?:&&|\|\||[|;&])\s*", line):
                words = shlex.split(part.replace("$(", " ").replace(")", " "), comments=True)
                if words:
                    self.check_command(words)

    def check_command(self, words):
        command = words[0]
        built = re.match(r"^(?:\./)?build/(docs/examples/\w+)$", command)
        if built and not (self.root / (built.group(1) + ".c")).exists():
            raise Failure(f"no such program: {command}")
        if not built and command not in COMMANDS and not os.access(self.root / command, os.X_OK):
            raise Failure(f"no such command: {command}")
        for word in words[1:]:
            if re.match(r"^(lib|include|tests|docs|tools)/", word) and not list(self.root.glob(word)):
                raise Failure(f"no such path: {word}")
            if option := re.match(r"^-D(\w+)=(.*)$", word):
                if command == "meson":
                    self.check_meson_option(*option.groups())
            elif word.startswith("--") and (command.startswith("tools/") or built):
                self.check_tool_option(command, word.partition("=")[0])

    def check_meson_option(self, name, value):
        if name not in self.options and name not in BUILTIN_OPTIONS:
            raise Failure(f"no such Meson option: {name}")
        choices = self.options.get(name)
        if choices is not None and value not in choices:
            raise Failure(f"{name} has no choice {value}")

    def check_tool_option(self, command, option):
        sources = [self.root / command, self.root / "docs/examples/swarm.c"]
        if not any(option in text or f'"{option[2:]}"' in text for text in (s.read_text() for s in sources if s.is_file())):
            raise Failure(f"{command} has no option {option}")

    # ---- Meson ----

    def check_meson(self, text):
        project = Path(tempfile.mkdtemp(dir=self.scratch))
        (project / "subprojects").mkdir()
        (project / "subprojects/pawl").symlink_to(self.root)
        (project / "meson.build").write_text("project('user', 'c', default_options: ['c_std=c11'])\n" + text)
        for name in re.findall(r"'(\w+\.c)'", text):
            (project / name).write_text(self.sample)
        meson = shutil.which("meson")
        if meson is None:
            raise Failure("meson is not in the path")
        configured = run([meson, "setup", str(project / "build"), str(project), "--wrap-mode=forcefallback"])
        if configured.returncode != 0:
            raise Failure(configured.stdout + configured.stderr)

    # ---- A page ----

    def check_page(self, page):
        text = (self.root / page).read_text()
        blocks = blocks_of(page, text)
        before = None  # the program so far, for `append`
        for at, block in enumerate(blocks):
            following = blocks[at + 1] if at + 1 < len(blocks) else None
            try:
                if block.language == "c":
                    expected = following.text if following is not None and following.language == "text" else None
                    before = self.check_c(block, before, expected)
                elif block.language == "sh":
                    self.check_commands(block.text.replace("\\\n", " ").splitlines())
                elif block.language == "console":
                    self.check_commands(line[2:] for line in block.lines if line.startswith("$ "))
                elif block.language == "meson":
                    self.check_meson(block.text)
                elif block.language not in ("text", ""):
                    raise Failure(f"nobody knows how to check '{block.language}'")
                if block.language not in ("text", ""):
                    yield block.name, None
            except Skipped as skipped:
                yield f"{block.name} # SKIP {skipped}", None
            except Failure as failure:
                yield block.name, str(failure)

    def check_option_table(self, page):
        """Has every Meson option of this tree its row, with its choices?"""
        text = (self.root / page).read_text()
        for name, choices in self.options.items():
            row = re.search(rf"^\| `{name}` \|([^|]*)\|", text, flags=re.M)
            if row is None:
                yield f"{name} is missing"
            elif choices is not None and sorted(choices) != sorted(re.findall(r"`([^`]+)`", row.group(1))):
                yield f"{name} has the choices {choices}"

    def check_sizes(self, page):
        """Is each struct of the size that a table says? None: it says nothing."""
        sizes = re.findall(r"^\| `(pawl_\w+)`[^|]*\| *(\d+) \|", (self.root / page).read_text(), flags=re.M)
        if not sizes:
            return None
        source = self.scratch / "sizes.c"
        source.write_text("#include <pawl/pawl.h>\n" + "".join(
            f'_Static_assert(sizeof(void *) != 8 || sizeof(struct {name}) == {size}, "{name} has another size");\n' for name, size in sizes))
        built = run([*self.compiler, f"-I{self.root}/include", "-c", str(source), "-o", os.devnull])
        return "" if built.returncode == 0 else "\n".join(re.findall(r"pawl_\w+ has another size", built.stderr)) or built.stderr

    def check_names(self, page):
        headers = "".join(h.read_text() for h in (self.root / "include/pawl").glob("*.h"))
        names = set(re.findall(r"\b((?:pawl|PAWL)_\w+)\b(?!…)", (self.root / page).read_text()))
        return sorted(names - set(re.findall(r"\w+", headers)))

    def prose(self, page):
        return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.S | re.M)

    def has_heading(self, page, anchor):
        """By the names that GitHub gives to headings."""
        titles = re.findall(r"^#+ (.*)$", self.prose(page), flags=re.M)
        return anchor in (re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles)

    def check_links(self, page):
        for target, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", self.prose(self.root / page)):
            file = (self.root / page).parent / target if target else self.root / page
            if "://" not in target and (not file.exists() or (anchor and not self.has_heading(file, anchor))):
                yield f"{target}#{anchor}"


def main():
    root, library = Path(sys.argv[1]).resolve(), sys.argv[2]
    compiler = sys.argv[3:]
    pages = [p for p in ("README.md", "CHANGELOG.md") if (root / p).exists()]
    pages += sorted(str(p.relative_to(root)) for p in (root / "docs").rglob("*.md"))
    count = failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        checker = Checker(root, library, compiler, Path(scratch))
        for page in pages:
            results = []
            try:
                results += checker.check_page(page)
            except Failure as failure:
                results.append((page, str(failure)))
            dead = list(checker.check_links(page))
            results.append((f"{page} links lead somewhere", f"dead: {dead}" if dead else None))
            unknown = checker.check_names(page)
            results.append((f"{page} has names that there are", f"unknown: {unknown}" if unknown else None))
            wrong = checker.check_sizes(page)
            if wrong is not None:
                results.append((f"{page} has the sizes of structs", wrong or None))
            if page == "README.md":
                wrong = list(checker.check_option_table(page))
                results.append((f"{page} lists the Meson options", "; ".join(wrong) or None))
            for name, trouble in results:
                count += 1
                failed += trouble is not None
                print(f"{'ok' if trouble is None else 'not ok'} {count} - {name}")
                if trouble is not None:
                    print(f"{name}: {trouble}", file=sys.stderr)
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
