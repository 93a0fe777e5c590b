#!/usr/bin/env bash
# Runs a command where there is no network but the machine itself: `tests/offline.sh make test`.
# For Linux, as root or where sudo asks nothing. Exit code 125: no such place could be made, and nothing was run.
set -euo pipefail

# A network namespace of its own begins with its loopback interface down. `ip link set lo up`, which not every system has:
up='
import fcntl, socket, struct
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
fcntl.ioctl(socket.socket(), SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", IFF_UP))
'
alone() {
  if [ "$(id -u)" = 0 ]; then
    unshare --net -- bash -c 'python3 -c "$0" && exec "$@"' "$up" "$@"
  else
    sudo --non-interactive unshare --net -- bash -c 'python3 -c "$0" && exec sudo --user "$1" env "${@:2}"' \
      "$up" "$(id -un)" "PATH=$PATH" "$@"
  fi
}

# Is loopback alone there, and can something listen on it and be reached?
check='
import socket
assert [name for _, name in socket.if_nameindex()] == ["lo"]
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname(), timeout=5).close()
'
if ! alone python3 -c "$check"; then
  echo "offline.sh: this machine makes no place without a network (it needs Linux, unshare, and root or sudo)" >&2
  exit 125
fi
alone "$@"
