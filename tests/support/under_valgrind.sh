#!/bin/sh
# SPDX-License-Identifier: MIT
# under_valgrind.sh PROGRAM [ARGUMENT …]: runs a test under valgrind, which fails it on any error and on a definite leak. A
# test that is a script is not what is to be looked at: it finds the command in EXAMPLE_WRAPPER, for what it runs itself.
valgrind='valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --track-fds=no'
case $1 in
*.sh | *.py | *python*)
    EXAMPLE_WRAPPER=$valgrind
    export EXAMPLE_WRAPPER
    exec "$@"
    ;;
*)
    # shellcheck disable=SC2086 # a command line
    exec $valgrind "$@"
    ;;
esac
