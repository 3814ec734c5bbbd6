"""What greenstalk can ask, once each, with what must come back.

python greenstalk_calls.py PORT...
"""

import sys
import threading
import time

import greenstalk


def connect(port, tube):
    return greenstalk.Client(("127.0.0.1", port), use=tube, watch=tube)


def fails(error, call, *words, **named):
    try:
        call(*words, **named)
    except error:
        return
    raise AssertionError(f"{call} should have raised {error}")


def a_job_from_put_to_delete(port):
    with connect(port, "life") as client:
        job_id = client.put("clé", priority=5, delay=0, ttr=30)
        assert client.peek(job_id).body == "clé"
        assert client.peek_ready().id == job_id
        job = client.reserve(timeout=5)
        assert (job.id, job.body) == (job_id, "clé")
        stats = client.stats_job(job)
        assert stats["state"] == "reserved" and stats["pri"] == 5 and 0 < stats["time-left"] <= 30
        client.touch(job)
        client.release(job, priority=7, delay=0)
        assert client.stats_job(job_id)["releases"] == 1
        client.delete(client.reserve_job(job_id))
        fails(greenstalk.NotFoundError, client.peek, job_id)
        fails(greenstalk.NotFoundError, client.delete, job_id)
        fails(greenstalk.TimedOutError, client.reserve, timeout=0)


def buried_and_kicked(port):
    with connect(port, "grave") as client:
        ids = [client.put(str(number)) for number in range(3)]
        for _ in ids:
            client.bury(client.reserve(timeout=5))
        assert client.peek_buried().id == ids[0]
        client.kick_job(ids[2])
        assert client.kick(10) == 2
        assert [client.reserve(timeout=5).id for _ in ids] == ids
        for job_id in ids:
            client.delete(job_id)


def delayed(port):
    with connect(port, "later") as client:
        job_id = client.put("x", delay=1)
        assert client.peek_delayed().id == job_id
        fails(greenstalk.TimedOutError, client.reserve, timeout=0)
        client.delete(client.reserve(timeout=10))


def order(port):
    with connect(port, "order") as client:
        for priority in (3, 1, 2, 1):
            client.put(str(priority), priority=priority)
        jobs = [client.reserve(timeout=5) for _ in range(4)]
        assert [job.body for job in jobs] == ["1", "1", "2", "3"]
        assert jobs[0].id < jobs[1].id
        for job in jobs:
            client.delete(job)


def tubes(port):
    with connect(port, "one") as client:
        client.use("two")
        assert client.using() == "two"
        assert client.watch("two") == 2
        assert sorted(client.watching()) == ["one", "two"]
        assert {"default", "one", "two"} <= set(client.tubes())
        assert client.ignore("one") == 1
        fails(greenstalk.NotIgnoredError, client.ignore, "two")
        assert client.stats_tube("two")["current-using"] == 1
        fails(greenstalk.NotFoundError, client.stats_tube, "nobody-knows-it")
        job_id = client.put("x")
        client.pause_tube("two", 1)
        fails(greenstalk.TimedOutError, client.reserve, timeout=0)
        client.delete(client.reserve(timeout=10))
        fails(greenstalk.NotFoundError, client.peek, job_id)
        assert client.stats()["version"] == "1.12"


def deadlines(port):
    with connect(port, "soon") as client:
        job_id = client.put("x", ttr=1)
        client.reserve(timeout=5)
        fails(greenstalk.DeadlineSoonError, client.reserve, timeout=5)
        time.sleep(1.5)
        assert client.stats_job(job_id)["timeouts"] == 1
        client.delete(job_id)


def sizes(port):
    with connect(port, "size") as client:
        body = "x" * (1 << 20)
        client.put(body)
        job = client.reserve(timeout=5)
        assert job.body == body
        client.delete(job)
        fails(greenstalk.JobTooBigError, client.put, body + "x")
        fails(greenstalk.BadFormatError, client.use, "a b")


def a_lost_connection(port):
    with connect(port, "lost") as other:
        client = connect(port, "lost")
        job_id = client.put("x", ttr=1000)
        assert client.reserve(timeout=5).id == job_id
        client.close()
        job = other.reserve(timeout=10)
        assert job.id == job_id
        other.delete(job)


def across_nodes(ports):
    clients = [connect(port, "wide") for port in ports]
    waiting = []
    threads = [
        threading.Thread(target=lambda client=client: waiting.append(client.reserve(timeout=20)))
        for client in clients
    ]
    for thread in threads:
        thread.start()
    with connect(ports[0], "wide") as producer:
        ids = [producer.put(str(number)) for number in range(len(ports))]
    for thread in threads:
        thread.join()
    assert sorted(job.id for job in waiting) == ids
    for client in clients:
        client.close()


def main():
    ports = [int(port) for port in sys.argv[1:]]
    parts = (a_job_from_put_to_delete, buried_and_kicked, delayed, order, tubes, deadlines, sizes, a_lost_connection)
    for port in ports:
        for part in parts:
            part(port)
            print(port, part.__name__, "as they should be")
    across_nodes(ports)
    print("across_nodes as they should be")


main()
