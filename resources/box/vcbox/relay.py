"""Joins stdin and stdout to a unix socket: `python3 -I -c <this> <path>`, for a box whose sshd forwards no sockets.

Each direction ends by itself, as over a forwarded channel. Ends with 0 when the socket's other end has closed, 3 where it cannot be
reached. Stand-alone: it is sent as text and imports nothing of this package.
"""

import os
import socket
import sys
import threading

STEP = 256 * 1024


def up(peer):
    """stdin to the socket; its end is told on."""
    try:
        while data := os.read(0, STEP):
            peer.sendall(data)
        peer.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the other direction ends as well, and says so


def main(argv):
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        peer.connect(argv[0])
    except OSError as e:
        print(f"{argv[0]}: {e.strerror}", file=sys.stderr)
        return 3
    threading.Thread(target=up, args=(peer,), daemon=True).start()
    try:
        while data := peer.recv(STEP):
            view = memoryview(data)
            while view:
                view = view[os.write(1, view) :]
    except OSError:
        pass
    return 0


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    # Not sys.exit: the other thread may wait for stdin for ever.
    os._exit(status)
