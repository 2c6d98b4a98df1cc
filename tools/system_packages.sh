#!/usr/bin/env bash
# Installs what wheels cannot bring, when it is missing: Java and Maven for Kafka, Redis, Prometheus, Chromium, a CJK font,
# and the packages named on the command line.
# Debian's packages may try to start their services; ours run on other ports and other data, so it does not matter.
set -euo pipefail

has() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }

missing=()
has java || missing+=(default-jre-headless)
has mvn || missing+=(maven)
has redis-server || missing+=(redis-server)
{ has prometheus && has promtool; } || missing+=(prometheus)
has chromium || has chromium-browser || has google-chrome || missing+=(chromium)
ls /usr/share/fonts/opentype/noto/NotoSansCJK* >/dev/null 2>&1 \
  || { has fc-list && [ -n "$(fc-list :lang=zh)" ]; } || missing+=(fonts-noto-cjk)

for extra in "$@"; do has "$extra" || missing+=("$extra"); done # what only some targets need

[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! has apt-get; then
  echo "install these Debian packages (or their like) and run make again: ${missing[*]}" >&2
  exit 3
fi

echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
mkdir -p /usr/share/man/man1 # Java's package stumbles over its absence on slim images
log=$(mktemp)
if ! { apt-get -q update && apt-get -q install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -20 "$log" >&2
  exit 3
fi
rm -f "$log"
