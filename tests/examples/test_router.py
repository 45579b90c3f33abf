"""The router without a mesh gives every user the arm of the library, and keeps it (R18)."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from examples.router.app import ARM_HEADER, USER_HEADER, create_app
from serinus.cohort import in_canary

USERS = [f"user-{number}" for number in range(200)]


@pytest.fixture
def assignment(tmp_path: Path) -> Path:
    path = tmp_path / "assignment.json"
    assign(path, {"rollout": "r1", "percentage": 20})
    return path


def assign(path: Path, told: object) -> None:
    path.write_text(told if isinstance(told, str) else json.dumps(told))


async def server_of(name: str) -> TestServer:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=f"{name} {request.method} {request.path_qs} {await request.text()}")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    return server


@pytest.fixture
async def router(assignment: Path) -> AsyncIterator[TestClient]:
    stable, canary = await server_of("stable"), await server_of("canary")
    app = create_app(str(stable.make_url("")).rstrip("/"), str(canary.make_url("")).rstrip("/"), assignment)
    async with TestClient(TestServer(app, host="127.0.0.1")) as client:
        yield client
    await stable.close()
    await canary.close()


async def arms(router: TestClient) -> dict[str, str]:
    return {user: (await router.get("/", headers={USER_HEADER: user})).headers[ARM_HEADER] for user in USERS}


def expected(rollout: str, percentage: float) -> dict[str, str]:
    return {user: "canary" if in_canary(user, rollout, percentage) else "stable" for user in USERS}


async def test_every_user_has_the_librarys_arm_and_a_rise_takes_it_from_nobody(
    router: TestClient, assignment: Path
) -> None:
    assert await arms(router) == expected("r1", 20)
    assign(assignment, '{"rollout": "r1", ')
    assert await arms(router) == expected("r1", 20)
    assign(assignment, {"rollout": "r1", "percentage": 60})
    assert await arms(router) == expected("r1", 60)


async def test_requests_without_a_user_are_split_one_by_one(router: TestClient) -> None:
    answers = [(await router.get("/")).headers[ARM_HEADER] for _ in range(200)]
    assert set(answers) == {"stable", "canary"}


async def test_a_request_arrives_as_it_was_sent(router: TestClient) -> None:
    answer = await router.post("/predict?model=a%20b", data="text", headers={USER_HEADER: USERS[0]})
    assert (await answer.text()).partition(" ")[2] == "POST /predict?model=a%20b text"


async def test_an_id_that_is_no_utf_8_has_an_arm_like_any_other(router: TestClient) -> None:
    for place in range(20):
        sent = b"\xff\xfe%d" % place
        reader, writer = await asyncio.open_connection("127.0.0.1", router.port)
        writer.write(
            b"GET / HTTP/1.1\r\nHost: router\r\nConnection: close\r\n%s: %s\r\n\r\n" % (USER_HEADER.encode(), sent)
        )
        answer = (await reader.read()).decode()
        writer.close()
        arm = "canary" if in_canary(sent.decode(errors="surrogateescape"), "r1", 20) else "stable"
        assert f"{ARM_HEADER}: {arm}" in answer


async def test_an_arm_that_does_not_answer_is_a_502_that_names_it(assignment: Path) -> None:
    app = create_app("http://127.0.0.1:1", "http://127.0.0.1:1", assignment)
    async with TestClient(TestServer(app, host="127.0.0.1")) as client:
        answer = await client.get("/")
        assert (answer.status, "does not answer" in await answer.text()) == (502, True)
