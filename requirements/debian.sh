#!/bin/sh
# Programs that a few tests run and PyPI does not have: nginx, PHP, and Chromium with a Chinese font.
# Run by `make test`.
#
# What the machine lacks is fetched from Debian or Ubuntu and unpacked into .venv/debian: it needs no
# root, nothing of the machine is changed, no service is started. Where that is not possible one
# sentence says so, and those tests are skipped with the same sentence.
set -eu
cd "$(dirname "$0")/.."

wanted=""
[ -n "$(PATH="$PATH:/usr/sbin" command -v nginx || true)" ] || wanted="$wanted nginx"
[ -n "$(command -v php || true)" ] || wanted="$wanted php-cli"
[ -n "$(command -v chromium || true)" ] || wanted="$wanted chromium"
ls /usr/share/fonts/opentype/noto/NotoSansCJK* >/dev/null 2>&1 || wanted="$wanted fonts-noto-cjk"
[ -n "$wanted" ] || exit 0

place="$PWD/.venv/debian"
stamp="$place/.tried"
fingerprint="$(cksum <requirements/debian.sh) $wanted"
[ "$(cat "$stamp" 2>/dev/null || true)" != "$fingerprint" ] || exit 0

cannot() {
    echo "make test: tests that need$wanted are skipped ($1); on Debian and Ubuntu: apt install$wanted" >&2
    mkdir -p "$place"
    echo "$fingerprint" >"$stamp"
    exit 0
}

command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || cannot "no apt-get here"

rm -rf "$place"
mkdir -p "$place/lists/partial" "$place/archives/partial" "$place/root"
# Its own lists and its own store, so that apt needs no lock of the machine's.
apt() {
    apt-get -qq -o Debug::NoLocking=1 -o APT::Sandbox::User="" -o Dir::State::Lists="$place/lists" \
        -o Dir::Cache::pkgcache="" -o Dir::Cache::srcpkgcache="" \
        -o Dir::Cache::archives="$place/archives" "$@" >"$place/log" 2>&1
}
echo "Fetching$wanted from Debian into .venv/debian" >&2
apt update || cannot "the packages' list cannot be fetched: see .venv/debian/log"
# shellcheck disable=SC2086 - these are words
apt --yes --no-install-recommends --download-only install $wanted ||
    cannot "they cannot be fetched: see .venv/debian/log"
for package in "$place"/archives/*.deb; do
    dpkg-deb --extract "$package" "$place/root"
done
rm -rf "$place/lists" "$place/archives"
echo "$fingerprint" >"$stamp"
