#!/usr/bin/env bash
# make_venv.sh FOLDER LOCK...: a virtual environment from locks with hashes, and this project in it, editable.
set -euo pipefail

folder=$1
shift

python=${PYTHON:-}
if [ -z "$python" ]; then
  for candidate in python3.11 python3.12 python3.13 python3.14 python3; do
    if command -v "$candidate" >/dev/null 2>&1 \
      && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      python=$candidate
      break
    fi
  done
fi
[ -n "$python" ] || { echo "Python 3.11 or later is not on the path: install python3 or set PYTHON" >&2; exit 3; }

# Debian splits ensurepip off into a package of its own.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  package="python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing: $package"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get -q update && apt-get -q install -y --no-install-recommends "$package"; } >/dev/null
  else
    echo "$python cannot make a virtual environment: install the package $package and run make again" >&2
    exit 3
  fi
fi

pip=("$folder/bin/python" -m pip --disable-pip-version-check --quiet)
cat "$@" >"$folder.locks"
if ! cmp -s "$folder.locks" "$folder/locks"; then
  echo "installing $* into $folder"
  rm -rf "$folder"
  "$python" -m venv "$folder"
  locks=()
  for lock in "$@"; do locks+=(-r "$lock"); done
  "${pip[@]}" install --require-hashes "${locks[@]}"
fi
# The build backend comes from the lock, so nothing unlocked is fetched.
"${pip[@]}" install --no-deps --no-build-isolation --editable .
mv "$folder.locks" "$folder/locks"
