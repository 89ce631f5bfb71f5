# SPDX-License-Identifier: MIT
"""Adds up what `meson test` ran: totals.py TESTLOG.JSON prints "PASSED FAILED SKIPPED", counting each case of a TAP test,
and on stderr the reason of each skip."""
import json
import re
import sys

passed = failed = skipped = 0
with open(sys.argv[1], encoding="utf-8") as log:
    for line in log:
        test = json.loads(line)
        cases = re.findall(r"^(not ok|ok)\b([^#\n]*)(#.*)?$", test.get("stdout") or "", re.M)
        whole_skip = re.search(r"^1\.\.0 *# *skip(?:ped)?\b:? *(.*)$", test.get("stdout") or "", re.M | re.I)
        if whole_skip or (not cases and test["result"] == "SKIP"):
            skipped += 1
            print(f"  skipped: {test['name']}: {whole_skip.group(1) if whole_skip else 'says why in its log'}", file=sys.stderr)
            continue
        before = failed
        for result, name, note in cases:
            if re.match(r"# *skip", note, re.I):
                skipped += 1
                print(f"  skipped: {test['name']}:{name.rstrip()} {note[1:].strip()}", file=sys.stderr)
            elif result == "ok":
                passed += 1
            elif not re.match(r"# *todo", note, re.I):
                failed += 1
        if test["result"] in ("OK", "EXPECTEDFAIL"):
            passed += not cases
        elif failed == before:
            failed += 1  # it crashed, timed out, or said nothing of the kind in its cases
print(passed, failed, skipped)
