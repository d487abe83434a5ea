#!/bin/sh
# Makes .venv from the locks beside this file; does nothing when nothing changed. Run by `make setup`.
#
# Needs Python 3.11 or newer with its venv module, and a package index the first time. Your own
# mirror is used when pip (index-url) or uv (UV_DEFAULT_INDEX) is set to one: the locks hold hashes
# and no addresses. PYTHON=... names another interpreter than the first python3 on the PATH.
set -eu
cd "$(dirname "$0")/.."

python="${PYTHON:-python3}"
environment=.venv
stamp="$environment/.daozhang-setup"

stop() {
    echo "make setup: $1" >&2
    exit 1
}

command -v "$python" >/dev/null 2>&1 ||
    stop "there is no '$python' here; install Python 3.11 or newer, or name one: make setup PYTHON=/path/to/python3"

# The fingerprint of everything that decides what is installed: a word of code about the interpreter
# and the bytes of the inputs. Equal to the stamp means that there is nothing to do.
fingerprint="$("$python" - requirements/setup.sh requirements/uv.txt requirements/dev.txt pyproject.toml <<'PYTHON'
import hashlib, os, platform, sys

if sys.version_info < (3, 11):
    sys.exit(
        "make setup: %s is Python %s; daozhang needs 3.11 or newer: install one, or name one: "
        "make setup PYTHON=/path/to/python3" % (sys.executable, platform.python_version())
    )
state = hashlib.sha256(("%s %s %s" % (sys.version_info[:2], platform.machine(), os.getcwd())).encode())
for name in sys.argv[1:]:
    with open(name, "rb") as file:
        state.update(hashlib.sha256(file.read()).digest())
print(state.hexdigest())
PYTHON
)" || exit 1

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$fingerprint" ] &&
    "$environment/bin/python" -c "" >/dev/null 2>&1; then
    exit 0
fi

# Without a home there is nowhere to keep what was downloaded; then it is kept with the environment.
if [ -z "${HOME:-}" ] || ! [ -w "$HOME" ]; then
    UV_CACHE_DIR="${UV_CACHE_DIR:-$PWD/$environment/.cache/uv}"
    export UV_CACHE_DIR
    PIP_NO_CACHE_DIR=1
    export PIP_NO_CACHE_DIR
fi

wanted="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
present="$("$environment/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true)"
if [ "$present" != "$wanted" ]; then
    echo "Making $environment with Python $wanted"
    "$python" -c "import venv, ensurepip" 2>/dev/null ||
        stop "$python has no venv module; on Debian and Ubuntu: apt install python3-venv"
    rm -rf "$environment"
    "$python" -m venv "$environment"
fi

echo "Installing what the locks name"
"$environment/bin/python" -m pip install --quiet --disable-pip-version-check \
    --require-hashes --only-binary :all: --requirement requirements/uv.txt

# uv does not read pip's settings; whoever has pointed pip at a mirror means it for uv too.
if [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
    mirror="$("$environment/bin/python" -m pip config get global.index-url 2>/dev/null || true)"
    if [ -n "${PIP_INDEX_URL:-$mirror}" ]; then
        UV_DEFAULT_INDEX="${PIP_INDEX_URL:-$mirror}"
        export UV_DEFAULT_INDEX
    fi
fi

VIRTUAL_ENV="$PWD/$environment"
UV_PYTHON_DOWNLOADS=never
export VIRTUAL_ENV UV_PYTHON_DOWNLOADS

# What an earlier set-up left in uv's cache needs no network, so that is tried first.
install() {
    "$environment/bin/uv" pip install --quiet --offline "$@" 2>/dev/null ||
        "$environment/bin/uv" pip install --quiet "$@"
}
install --require-hashes --requirement requirements/dev.txt
# The build backend is in the lock as well, so that an editable install fetches nothing unpinned.
install --no-deps --no-build-isolation --editable .

echo "$fingerprint" >"$stamp"
