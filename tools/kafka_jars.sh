#!/usr/bin/env bash
# kafka_jars.sh FOLDER: Apache Kafka's jars from Maven Central, whole or not at all.
set -euo pipefail

folder=$1
pom=$(dirname "$0")/services/kafka/pom.xml
part=$folder.part
rm -rf "$part"
mkdir -p "$part"
echo "fetching Kafka's jars into $folder"
mvn -q -B -Dstyle.color=never -f "$pom" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$(realpath "$part")"
rm -rf "$folder"
mv "$part" "$folder"
