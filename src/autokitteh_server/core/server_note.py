"""What a server leaves in its data folder for the commands of the same machine: where it is, and a way in."""

#: `{"url": ..., "pid": ...}`, there while the server runs.
SERVER_FILE = "server.json"

#: The secret of the token that was made at the first start.
TOKEN_FILE = "token"
