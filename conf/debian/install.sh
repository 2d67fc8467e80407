#!/usr/bin/env bash
# Installs what hookhost needs to build on Debian 12, with apt, and only what is missing.
#   conf/debian/install.sh [PACKAGE...]     PACKAGE: extra packages beside conf/debian/packages.txt
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mapfile -t wanted < <(cat "$here/packages.txt"; printf '%s\n' "$@")
missing=()
for package in "${wanted[@]}"; do
  [ -n "$package" ] || continue
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
sudo=(); [ "$(id -u)" = 0 ] || sudo=(sudo)
echo "hookhost: installing with apt: ${missing[*]}"
"${sudo[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
