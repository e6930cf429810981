#!/usr/bin/env bash
# Starts a PostgreSQL server of its own in the folder that it is given, where there may be one that was stopped, and prints its URL;
# for tests, since it does not sync to disk.
#   export FARADAY_TEST_POSTGRES=$(bash .ci/start-postgres.sh /tmp/folder 54329)
set -euo pipefail
folder=$1
port=${2:-54329}
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
[ -n "$bin" ] || bin=$(dirname "$(command -v initdb)")
mkdir -p "$folder"
as_owner() { "$@"; }
if [ "$(id -u)" -eq 0 ]; then
  # PostgreSQL refuses to run as root.
  chown postgres "$folder"
  as_owner() { (cd / && runuser -u postgres -- "$@"); }
fi
[ -d "$folder/data" ] || as_owner "$bin/initdb" -D "$folder/data" -U faraday --auth=trust --encoding=UTF8 --locale=C.UTF-8 >"/dev/null"
as_owner "$bin/pg_ctl" -D "$folder/data" -w -t 60 -l "$folder/log" \
  -o "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories='' -c max_connections=200 -c fsync=off" start >/dev/null
printf 'postgres://faraday@127.0.0.1:%s/postgres\n' "$port"
