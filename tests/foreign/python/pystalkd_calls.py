"""What pystalkd can ask, once each, with what must come back.

python pystalkd_calls.py PORT...
"""

import sys

from pystalkd.Beanstalkd import CommandFailed, Connection


def fails(call, *words):
    try:
        call(*words)
    except CommandFailed:
        return
    raise AssertionError(f"{call} should have failed")


def jobs(connection):
    connection.use("jobs")
    connection.watch("jobs")
    connection.ignore("default")
    job_id = connection.put("clé", priority=3, ttr=60)
    assert connection.peek(job_id).body == "clé"
    assert connection.peek_ready().job_id == job_id
    job = connection.reserve(timeout=5)
    assert (job.job_id, job.body) == (job_id, "clé")
    assert job.stats()["state"] == "reserved"
    job.touch()
    job.release(priority=4, delay=0)
    job = connection.reserve(timeout=5)
    assert job.stats()["pri"] == 4
    job.bury()
    assert connection.peek_buried().job_id == job_id
    assert connection.kick(1) == 1
    connection.reserve(timeout=5).delete()
    assert connection.reserve(timeout=0) is None
    assert connection.peek(job_id) is None
    delayed = connection.put("later", delay=1000)
    assert connection.peek_delayed().job_id == delayed
    connection.kick_job(delayed)
    connection.delete(delayed)
    raw = connection.put_bytes(b"\xff\x00")
    assert connection.reserve_bytes(timeout=5).body == b"\xff\x00"
    connection.delete(raw)


def tubes(connection):
    with connection.temporary_use("for-a-while"):
        assert connection.using() == "for-a-while"
    assert connection.using() == "jobs"
    assert connection.watching() == ["jobs"]
    assert "jobs" in connection.tubes()
    assert connection.stats_tube("jobs")["name"] == "jobs"
    connection.pause_tube("jobs", 0)
    fails(connection.stats_tube, "nobody-knows-it")
    assert connection.stats()["max-job-size"] == 1 << 20


def main():
    for port in map(int, sys.argv[1:]):
        connection = Connection("127.0.0.1", port)
        for part in (jobs, tubes):
            part(connection)
            print(port, part.__name__, "as they should be")
        connection.close()


main()
