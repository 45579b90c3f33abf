"""A Prometheus that takes every query and never answers."""

import socket
import threading


class Hung:
    """`address` is where it listens; `waiting`: how many queries wait for an answer now."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.waiting = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._keep, args=(connection,), daemon=True).start()

    def _keep(self, connection: socket.socket) -> None:
        with connection:
            if not connection.recv(65536):
                return
            self.waiting += 1
            while connection.recv(65536):
                pass
            self.waiting -= 1
