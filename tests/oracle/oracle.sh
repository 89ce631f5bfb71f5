#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs oracle.py with the newest CPython that really runs; without one of 3.11 or newer there is nothing to compare with.
# Usage: oracle.sh ORACLE_PY PROGRAM
for python in python3.14 python3.13 python3.12 python3.11 python3; do
    if $python -c 'import sys; sys.exit(sys.version_info < (3, 11) or sys.implementation.name != "cpython")' 2>/dev/null; then
        exec $python "$1" "$2" --tap --seeds 2500
    fi
done
echo "1..0 # SKIP no CPython of 3.11 or newer runs here"
