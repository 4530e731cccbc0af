"""`python -m autokitteh_runner FD LAUNCH`: a fork server on the socket with this file descriptor."""

import json
import socket
import sys

from autokitteh_runner.forkserver import serve
from autokitteh_runner.protocol import Launch

if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), Launch(**json.loads(sys.argv[2])))
