"""The limit: post the form, many in flight, keep nothing. `python -m benchmarks.peers.bare URL TEXTS IN_FLIGHT`."""

import asyncio
import sys
from collections.abc import Iterator

import aiohttp

from benchmarks.peers.text import ACCOUNT, BODY, CALLBACK, SENDER, TOKEN, number


async def post_all(url: str, texts: int, in_flight: int) -> None:
    """Post `texts` creates over `in_flight` connections."""
    left = iter(range(texts))
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=in_flight),
        headers={"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)},
    ) as session:
        address = f"{url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        await asyncio.gather(*(_post_some(session, address, left) for _ in range(in_flight)))


async def _post_some(session: aiohttp.ClientSession, address: str, left: Iterator[int]) -> None:
    for index in left:
        form = {
            "To": number(index), "From": SENDER, "Body": BODY, "StatusCallback": CALLBACK, "ValidityPeriod": "36000",
        }  # fmt: skip
        async with session.post(address, data=form) as answer:
            await answer.json()


if __name__ == "__main__":
    asyncio.run(post_all(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
