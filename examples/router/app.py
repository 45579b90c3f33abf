"""An HTTP router without a mesh: each user's requests go to the arm that serinus.cohort gives the user."""

import argparse
import contextlib
import json
import random
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web

from serinus.cohort import in_canary

USER_HEADER = "x-user-id"
ARM_HEADER = "x-arm"
"""Tells in an answer which arm gave it."""

_TIMEOUT = aiohttp.ClientTimeout(total=30)
# What belongs to one connection, or is made anew for the next one.
_OF_CONNECTION = {
    "host", "connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "upgrade",
}  # fmt: skip


@dataclass(frozen=True)
class Assignment:
    """Who gets the canary now."""

    rollout: str
    percentage: float

    @classmethod
    def read(cls, path: Path) -> "Assignment":
        """From a file such as {"rollout": "predictor-1a2b3c4d", "percentage": 5}."""
        told = json.loads(path.read_text())
        return cls(str(told["rollout"]), float(told["percentage"]))

    def arm(self, user: str | None) -> str:
        """The user's arm; a request without a user is drawn by itself."""
        drawn = random.random() * 100 < self.percentage
        return "canary" if (in_canary(user, self.rollout, self.percentage) if user else drawn) else "stable"


class Router:
    """Forwards requests; looks at the assignment's file whenever that changes."""

    def __init__(self, arms: Mapping[str, str], path: Path) -> None:
        self._arms = arms
        self._path = path
        self._read_at = path.stat().st_mtime_ns
        self._assignment = Assignment.read(path)

    async def forward(self, request: web.Request) -> web.Response:
        """The answer of the arm that the user has; 502 where it does not answer."""
        arm = self._current().arm(request.headers.get(USER_HEADER))
        session: aiohttp.ClientSession = request.app[SESSION]
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _OF_CONNECTION}
        try:
            async with session.request(
                request.method,
                f"{self._arms[arm]}{request.path_qs}",
                headers=headers,
                data=await request.read(),
                allow_redirects=False,
            ) as answer:
                kept = {name: value for name, value in answer.headers.items() if name.lower() not in _OF_CONNECTION}
                return web.Response(status=answer.status, body=await answer.read(), headers={**kept, ARM_HEADER: arm})
        except (aiohttp.ClientError, TimeoutError):
            return web.Response(status=502, text=f"the {arm} does not answer\n", headers={ARM_HEADER: arm})

    def _current(self) -> Assignment:
        changed_at = self._path.stat().st_mtime_ns
        if changed_at != self._read_at:
            # Half written, it is not read: what was read before holds until it is whole.
            with contextlib.suppress(ValueError, KeyError):
                self._assignment, self._read_at = Assignment.read(self._path), changed_at
        return self._assignment


SESSION = web.AppKey("session", aiohttp.ClientSession)


def create_app(stable: str, canary: str, assignment: Path) -> web.Application:
    """The router in front of two addresses such as http://127.0.0.1:8081."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", Router({"stable": stable, "canary": canary}, assignment).forward)

    async def session(app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as opened:
            app[SESSION] = opened
            yield

    app.cleanup_ctx.append(session)
    return app


def main() -> None:
    """Route until a signal ends it."""
    parser = argparse.ArgumentParser(prog="python -m examples.router.app", description=__doc__)
    parser.add_argument("--stable", required=True, help="address of the stable, for example http://127.0.0.1:8081")
    parser.add_argument("--canary", required=True, help="address of the canary")
    parser.add_argument("--assignment", required=True, type=Path, help="JSON file with rollout and percentage")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    arguments = parser.parse_args()
    app = create_app(arguments.stable, arguments.canary, arguments.assignment)
    web.run_app(app, host=arguments.host, port=arguments.port)


if __name__ == "__main__":
    main()
