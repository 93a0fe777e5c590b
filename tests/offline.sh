#!/usr/bin/env bash
# Runs a command where there is no network but the machine itself: `tests/offline.sh make test`.
# For Linux, as root or where sudo asks nothing. Exit code 125: no such place could be made, and nothing was run.
set -euo pipefail

alone() { # a network namespace of its own, in which the loopback interface is up
  if [ "$(id -u)" = 0 ]; then
    unshare --net -- bash -c 'ip link set lo up && exec "$@"' alone "$@"
  else
    sudo --non-interactive unshare --net -- bash -c 'ip link set lo up && exec sudo --user "$0" env "${@}"' "$(id -un)" "PATH=$PATH" "$@"
  fi
}

# The interfaces there, and that something can listen and be reached.
check='
import socket
assert [name for _, name in socket.if_nameindex()] == ["lo"]
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname(), timeout=5).close()
'
if ! alone python3 -c "$check"; then
  echo "offline.sh: this machine makes no place without a network (needs Linux, unshare, ip, and root or sudo)" >&2
  exit 125
fi
alone "$@"
