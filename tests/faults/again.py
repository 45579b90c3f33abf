"""Somebody who does the same again and again."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_PAUSE = 0.1


@contextmanager
def again_and_again(action: Callable[[], None]) -> Iterator[None]:
    """While the `with` lasts, `action` is done every tenth of a second; what it raises is raised at the end."""
    over = threading.Event()
    raised: list[BaseException] = []

    def repeat() -> None:
        while not over.wait(_PAUSE) and not raised:
            try:
                action()
            except Exception as error:
                raised.append(error)

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(30)
    if raised:
        raise raised[0]
