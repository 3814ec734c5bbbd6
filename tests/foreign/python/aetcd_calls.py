"""What aetcd asks of etcd, over asyncio, with what must come back.

python aetcd_calls.py HOST PORT
"""

import asyncio
import sys

import aetcd


async def keys(client):
    await client.put(b"a", b"1")
    assert (await client.get(b"a")).value == b"1"
    await client.put(b"ab", b"2")
    found = await client.get_prefix(b"a", sort_order="descend", sort_target="key")
    assert [pair.value for pair in found] == [b"2", b"1"]
    assert len(list(await client.get_range(b"a", b"b"))) == 2
    assert await client.replace(b"a", b"1", b"3")
    assert not await client.replace(b"a", b"1", b"4")
    assert await client.delete(b"a")
    await client.delete_prefix(b"a")
    assert await client.get(b"ab") is None


async def transactions(client):
    done, answers = await client.transaction(
        compare=[client.transactions.version(b"t") == 0],
        success=[client.transactions.put(b"t", b"1"), client.transactions.get(b"t")],
        failure=[client.transactions.get(b"t")],
    )
    assert done and len(answers) == 2


async def leases(client):
    lease = await client.lease(100)
    await client.put(b"held", b"1", lease=lease)
    left = await lease.remaining_ttl()
    assert 0 < left <= 100
    await lease.refresh()
    await lease.revoke()
    assert await client.get(b"held") is None


async def watches(client):
    watch = await client.watch(b"watched")
    await client.put(b"watched", b"1")
    async for event in watch:
        assert event.kv.value == b"1"
        await watch.cancel()
        break


async def cluster(client):
    status = await client.status()
    assert status.version.count(".") == 2
    members = [member async for member in client.members()]
    assert len(members) >= 1


async def main():
    host, port = sys.argv[1:]
    async with aetcd.Client(host=host, port=int(port)) as client:
        for part in (keys, transactions, leases, watches, cluster):
            await part(client)
            print(part.__name__, "as they should be")


asyncio.run(main())
