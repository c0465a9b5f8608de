"""Pages of a console asked for and forms of them sent, without a browser."""

from typing import Any

from tests.support.world import Somebody, World


async def get(world: World, path: str, who: Somebody) -> str:
    """The page, which has to answer."""
    answer = await world.send("GET", path, who)
    assert answer.status_code == 200, answer.text
    return answer.text


async def post(world: World, path: str, who: Somebody, **data: str) -> Any:
    """What a form answers."""
    return await world.send("POST", path, who, data=data)


def went(answer: Any) -> bool:
    """Whether a form was taken, and led on."""
    return answer.status_code < 400 and (answer.is_redirect or "HX-Redirect" in answer.headers)
