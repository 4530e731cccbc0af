"""`python -m autokitteh_runner FD`: a fork server on the socket with this file descriptor."""

import socket
import sys

from autokitteh_runner.forkserver import serve

if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
