#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Is every public name of include/pawl/*.h in docs/reference.md, below its header, and nothing else? Prints TAP.

Public is what a header defines or declares (macros, functions, types, enumerators, variables) and what does not end in an
underscore, but for the inner parts of macros that are listed in INNER. A short keyword (`#define AWAIT(...)
PAWL_AWAIT(...)`) stands for its long form too. In the reference a name is documented by a line that begins with `- ` and
has it in code quotes before the first dash. The knobs (what #if asks for) belong to config.h wherever they are asked for.

Usage: check_reference.py SOURCE_ROOT
"""
import re
import sys
from pathlib import Path

# Names without a trailing underscore that are steps of a macro's expansion.
INNER = re.compile(r"^(PAWL_\w+_H|PAWL_(?!TIME_32)\w+_\d+|PAWL_VOID_void|PAWL_MEMBER_(TYPE|VOID)|PAWL_END_C|PAWL_BEGIN_C|PAWL_CAT|PAWL_STRING"
                   r"|PAWL_(INLINE|API|COLD|EVEN|LIKELY|UNLIKELY|SAME_TYPE|STATIC_ASSERT|MUST_USE)"
                   r"|PAWL_CORO_[A-Z_]+|PAWL_POINT_(FINISH|NAME)|PAWL_HANDLER_LEVELS"
                   r"|PAWL_KIND_(CORO|FUTURE|JOB)|PAWL_(FUTURE|WHERE|CANCELLING)_[A-Z_]+)$")
# … of which these are public all the same.
NOT_INNER = {"PAWL_FUTURE_INIT", "PAWL_CORO_INIT"}


def without_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.S).replace("\\\n", " ")


def declared_in(text):
    """The names that it declares, and its macros with what they stand for."""
    text = without_comments(text)
    macros = {}
    for name, rest in re.findall(r"^[ \t]*#[ \t]*define[ \t]+(\w+)(.*)$", text, flags=re.M):
        macros[name] = rest
    code = re.sub(r"^[ \t]*#.*$", "", text, flags=re.M)
    names = set(re.findall(r"^(?:struct|union|enum)\s+(\w+)\s*\{", code, flags=re.M))
    names |= set(re.findall(r"^typedef\s[^;{]*?\b(\w+)(?:\s*\([^;]*\))?;", code, flags=re.M))
    for body in re.findall(r"^enum\s*\w*\s*\{(.*?)\}", code, flags=re.S | re.M):
        names |= set(re.findall(r"(?:^|,)\s*(\w+)", re.sub(r"=[^,]*", "", body)))
    for head in re.findall(r"^(?:extern\s+)?(?:PAWL_API|PAWL_INLINE)\s([^;{]*)[;{]", code, flags=re.M):
        if re.match(r"(?:PAWL_\w+\s+)*pawl_resume_fn\s", head):
            names |= set(re.findall(r"\b(pawl_\w+)", head)) - {"pawl_resume_fn"}
        elif leaf := re.search(r"\bPAWL_LEAF\((\w+)\)", head):
            names.add(leaf.group(1) + "_resume")
        elif called := re.search(r"\(?\b(pawl_\w+)\)?\s*\(", head):
            names.add(called.group(1))
        else:
            names |= {re.findall(r"\w+", part)[-1] for part in head.split(",")}
    return names, macros


def public_names(text):
    names, macros = declared_in(text)
    long_forms = {long for name, rest in macros.items() if not name.upper().startswith("PAWL_")
                  for long in re.findall(r"\b(PAWL_\w+|pawl_\w+)\b", rest)}
    names |= set(macros) - long_forms
    return only_public(names)


def only_public(names):
    return {n for n in names if not n.endswith("_") and (n in NOT_INNER or not INNER.match(n))}


def knobs_in(text):
    """What a user may define before the include."""
    conditions = re.findall(r"^[ \t]*#[ \t]*(?:if|elif|ifdef|ifndef)\b(.*)$", without_comments(text), flags=re.M)
    return only_public(set(re.findall(r"\bPAWL_\w+\b", " ".join(conditions))))


def documented_names(text):
    """By header: a section `## name.h`, and the code quotes at the beginning of its items."""
    found = {}
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        title = section.split("\n", 1)[0].strip()
        match = re.match(r"^(\w+\.h)\b", title)
        if not match:
            continue
        names = found.setdefault(match.group(1), set())
        for item in re.findall(r"^- (.*)$", section, flags=re.M):
            for quoted in re.findall(r"`([^`]*)`", item.split(" — ")[0]):
                names.add(name_of(quoted))
    return found


def name_of(signature):
    """`int pawl_f(int x)` is pawl_f; `struct pawl_x` is pawl_x; `PAWL_X` is itself."""
    head = signature.split("(", 1)[0]
    return re.findall(r"\w+", head)[-1]


def main():
    root = Path(sys.argv[1])
    documented = documented_names((root / "docs/reference.md").read_text())
    texts = {h.name: h.read_text() for h in sorted((root / "include/pawl").glob("*.h")) if h.name != "pawl.h"}
    knobs = set().union(*(knobs_in(text) for text in texts.values()))
    headers = {name: public_names(text) - knobs for name, text in texts.items()}
    headers["config.h"] |= knobs
    count = failed = 0
    for name in sorted(set(headers) | set(documented)):
        there, told = headers.get(name, set()), documented.get(name, set())
        troubles = [f"{n} is not in docs/reference.md" for n in sorted(there - told)]
        troubles += [f"{n} is in docs/reference.md and not in {name}" for n in sorted(told - there)]
        count += 1
        failed += bool(troubles)
        print(f"{'not ok' if troubles else 'ok'} {count} - {name}: {len(there)} names")
        for trouble in troubles:
            print(trouble, file=sys.stderr)
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
