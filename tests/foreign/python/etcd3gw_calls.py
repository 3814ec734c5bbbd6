"""What etcd3gw can ask of the JSON gateway, once each, with what must come back.

python etcd3gw_calls.py HOST PORT
"""

import sys
import threading

import etcd3gw


def keys(client):
    assert client.put("k/a", "1")
    assert client.get("k/a") == [b"1"]
    [(value, metadata)] = client.get("k/a", metadata=True)
    assert value == b"1" and metadata["key"] == b"k/a" and metadata["version"] == "1"
    client.put("k/b", "2")
    assert [value for value, _ in client.get_prefix("k/")] == [b"1", b"2"]
    assert len(client.get_all(sort_order="descend", sort_target="key")) == 2
    assert client.replace("k/a", "1", "3") and not client.replace("k/a", "1", "4")
    assert client.create("k/c", "5") and not client.create("k/c", "6")
    assert client.delete("k/a") and not client.delete("k/a")
    assert client.delete_prefix("k/")
    assert client.get_all() == []


def leases(client):
    lease = client.lease(ttl=100)
    client.put("held", "1", lease=lease)
    assert lease.keys() == [b"held"]
    assert 0 < lease.ttl() <= 100
    assert lease.refresh() == 100
    assert lease.revoke()
    assert client.get("held") == []


def locks(client):
    with client.lock("door", ttl=10) as door:
        assert door.is_acquired()
        assert not client.lock("door", ttl=10).acquire()
    assert not door.is_acquired()


def transactions(client):
    done = client.transaction({
        "compare": [{"key": "dA==", "result": "EQUAL", "target": "VERSION", "version": 0}],
        "success": [{"request_put": {"key": "dA==", "value": "MQ=="}}],
        "failure": [],
    })
    assert done["succeeded"] is True
    assert client.get("t") == [b"1"]


def watches(client):
    events, cancel = client.watch("watched")
    threading.Timer(0.2, client.put, ("watched", "1")).start()
    event = next(events)
    assert event["kv"]["value"] == b"1"
    cancel()
    threading.Timer(0.2, client.put, ("watched", "2")).start()
    assert client.watch_once("watched", timeout=10)["kv"]["value"] == b"2"


def cluster(client):
    assert client.status()["version"].count(".") == 2
    assert len(client.members()) >= 1


def main():
    host, port = sys.argv[1:]
    client = etcd3gw.client(host=host, port=int(port))
    for part in (keys, leases, locks, transactions, watches, cluster):
        part(client)
        print(part.__name__, "as they should be")


main()
