#!/usr/bin/env bash
# fetch.sh FOLDER: the other engines: wheels into FOLDER/bench-venv, jars and our Java into FOLDER/bench.
# What cannot be had is said and left out: its rows then say "not run".
set -euo pipefail

folder=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
root=$(realpath "$here/../../..")
mkdir -p "$folder/bench/lib" "$folder/bench/classes"

if ! command -v javac >/dev/null && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  echo "installing a Java compiler for the two JVM engines"
  DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends default-jdk-headless >/dev/null || true
fi

echo "fetching the Python engines into $folder/bench-venv"
rm -rf "$folder/bench-venv"
"$root/.venv/bin/python" -m venv "$folder/bench-venv"
"$folder/bench-venv/bin/pip" --disable-pip-version-check -q install --require-hashes -r "$root/requirements/peers.txt" \
  || echo "the Python engines cannot be had here" >&2

echo "fetching the JVM engines into $folder/bench"
if mvn -q -B -Dstyle.color=never -f "$here/java/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
  -DoutputDirectory="$folder/bench/lib"; then
  javac -nowarn -cp "$folder/bench/lib/*" -d "$folder/bench/classes" "$here"/java/*.java \
    || echo "the JVM engines cannot be compiled here" >&2
else
  echo "the JVM engines cannot be had here" >&2
fi
