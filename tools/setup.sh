#!/usr/bin/env bash
# Installs what the build and the tests need: Debian packages by name. Says first what it will install.
# Works as root or with sudo; without apt it prints the list and stops. usage: tools/setup.sh [--lint]
set -eu

packages="
  gcc libc6-dev make meson ninja-build pkg-config python3 binutils
  libjansson-dev libpcre2-dev libutf8proc-dev zlib1g-dev libssl-dev libcurl4-openssl-dev
  libseccomp-dev libpython3-dev python3-jinja2 pyflakes3 python3-mccabe
  libcmocka-dev jq
"
lint="clang clang-format clang-tidy cppcheck libclang-rt-14-dev"
[ "${1:-}" = --lint ] && packages="$packages $lint"

missing=
for p in $packages; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2> /dev/null || true)" = installed ] || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get > /dev/null; then
  echo "tools/setup.sh: this system has no apt-get. Install what these Debian packages hold, then run make again:" >&2
  printf '  %s\n' $missing >&2
  exit 1
fi
root=
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo > /dev/null; then
    echo "tools/setup.sh: neither root nor sudo. Ask an administrator to run:" >&2
    echo "  apt-get install$missing" >&2
    exit 1
  fi
  root=sudo
fi
echo "Will install these Debian packages:$missing"
export DEBIAN_FRONTEND=noninteractive
$root apt-get update -qq
$root apt-get install -y -qq --no-install-recommends $missing > /dev/null
