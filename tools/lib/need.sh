# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the tools: need PACKAGE:COMMAND … sees to it that each command is there, by installing the Debian package
# that holds it. Where that is not possible, it says what to install and exits with 1.
#
#   need gcc:cc meson:meson check:/usr/include/check.h
#
# A COMMAND with a slash in it is a file that must exist. Where a package's name differs by system, the first that apt
# knows is taken: PACKAGE|OTHER:COMMAND.

need_present() {
    case $1 in
        */*) [ -e "$1" ] ;;
        *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

# Runs its arguments as root, if that can be done without a question.
need_as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

need_may_install() {
    command -v apt-get >/dev/null 2>&1 || return 1
    [ "$(id -u)" -eq 0 ] || { command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; }; }
}

# The first of several names that apt knows.
need_package() {
    local name
    for name in ${1//|/ }; do
        if apt-cache show "$name" >/dev/null 2>&1; then
            echo "$name"
            return
        fi
    done
    echo "${1%%|*}"
}

need() {
    local item package missing=() still=()
    for item in "$@"; do
        need_present "${item#*:}" || missing+=("$item")
    done
    [ ${#missing[@]} -eq 0 ] && return

    local packages=()
    for item in "${missing[@]}"; do
        package=${item%%:*}
        packages+=("${package%%|*}")
    done
    if ! need_may_install; then
        echo "${0##*/}: missing on this machine, and may not be installed from here: ${packages[*]}" >&2
        if command -v apt-get >/dev/null 2>&1; then
            echo "${0##*/}: run this as root, then start again:  apt-get update && apt-get install ${packages[*]}" >&2
        else
            echo "${0##*/}: install what these Debian packages hold, then start again (commands: ${missing[*]#*:})" >&2
        fi
        exit 1
    fi

    echo "${0##*/}: installing ${packages[*]}"
    need_as_root apt-get update -qq || echo "${0##*/}: apt-get update failed; trying with what is known" >&2
    packages=()
    for item in "${missing[@]}"; do packages+=("$(need_package "${item%%:*}")"); done
    need_as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null || {
        echo "${0##*/}: apt-get could not install ${packages[*]}" >&2
        exit 1
    }
    for item in "${missing[@]}"; do
        need_present "${item#*:}" || still+=("${item#*:}")
    done
    [ ${#still[@]} -eq 0 ] && return
    echo "${0##*/}: installed ${packages[*]}, but still missing: ${still[*]}" >&2
    exit 1
}
