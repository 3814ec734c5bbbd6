"""libtorrent's hash table and a node at the port given: each finds what the other has stored.

Prints a line for each thing that held, and ends with 1 at the first that did not.
"""

import hashlib
import socket
import sys
import tempfile
import time

import libtorrent as lt

PORT = int(sys.argv[1])
PATIENCE_S = 40
# Whoever puts before knowing somebody puts nowhere.
NODES_MIN = 4


def session():
    return lt.session(
        {
            "listen_interfaces": "127.0.0.1:0",
            "enable_dht": True,
            "enable_lsd": False,
            "enable_upnp": False,
            "enable_natpmp": False,
            "dht_bootstrap_nodes": f"127.0.0.1:{PORT}",
            "dht_restrict_routing_ips": False,
            "dht_restrict_search_ips": False,
            "alert_mask": lt.alert.category_t.dht_notification | lt.alert.category_t.dht_operation_notification,
        }
    )


def wait_for(ses, kind, matches=lambda alert: True):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        ses.wait_for_alert(500)
        for alert in ses.pop_alerts():
            if isinstance(alert, kind) and matches(alert):
                return alert
    held(f"a {kind.__name__} came", False)


def held(what, is_so):
    print(("held: " if is_so else "BROKEN: ") + what, flush=True)
    if not is_so:
        sys.exit(1)


def ask(datagram):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.sendto(datagram, ("127.0.0.1", PORT))
        return lt.bdecode(sock.recv(2048))


def wait_for_nodes(ses):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        ses.post_dht_stats()
        stats = wait_for(ses, lt.dht_stats_alert)
        if sum(bucket["num_nodes"] for bucket in stats.routing_table) >= NODES_MIN:
            return
        time.sleep(0.5)
    held("libtorrent knows nodes", False)


def expanded(seed):
    """The form in which libtorrent takes a secret key (RFC 8032, 5.1.5)."""
    digest = bytearray(hashlib.sha512(seed).digest())
    digest[0] &= 248
    digest[31] = digest[31] & 63 | 64
    return bytes(digest)


def text(value):
    return value.encode() if isinstance(value, str) else bytes(value)


def stored(ses, target, salt=b""):
    ses.dht_get_immutable_item(target)
    alert = wait_for(ses, lt.dht_immutable_item_alert, lambda a: a.target == target)
    return text(alert.item["value"])


def main():
    one, two = session(), session()
    wait_for_nodes(one)
    wait_for_nodes(two)
    held("libtorrent knows nodes of ours", True)

    target = one.dht_put_immutable_item("from libtorrent")
    put = wait_for(one, lt.dht_put_alert)
    held(f"an immutable item of libtorrent is taken ({put.num_success} nodes)", put.num_success > 0)
    print(f"target: {target}", flush=True)
    held("another libtorrent finds it", stored(two, target) == b"from libtorrent")

    for line in sys.stdin:
        words = line.split()
        if words[0] == "find":
            item = stored(two, lt.sha1_hash(bytes.fromhex(words[1])))
            held("libtorrent finds what we have put", item == words[2].encode())
        if words[0] == "find-key":
            key, salt = bytes.fromhex(words[1]), b""
            two.dht_get_mutable_item(key, salt)
            alert = wait_for(two, lt.dht_mutable_item_alert)
            held("libtorrent verifies what we have signed", text(alert.item["value"]) == words[2].encode())
        if words[0] == "sign":
            secret, public = expanded(bytes.fromhex(words[1])), bytes.fromhex(words[2])
            two.dht_put_mutable_item(secret, public, words[3].encode(), b"")
            put = wait_for(two, lt.dht_put_alert)
            held(f"a mutable item of libtorrent is taken ({put.num_success} nodes)", put.num_success > 0)
        if words[0] == "peers":
            torrent = lt.parse_magnet_uri(f"magnet:?xt=urn:btih:{words[1]}")
            torrent.save_path = tempfile.gettempdir()
            one.add_torrent(torrent)
            # Whoever has a torrent announces it by itself.
            time.sleep(10)
            two.dht_get_peers(lt.sha1_hash(bytes.fromhex(words[1])))
            wait_for(two, lt.dht_get_peers_reply_alert, lambda a: len(a.peers()) > 0)
            held("a peer that one libtorrent has announced is found by another", True)
        if words[0] == "end":
            break

    refusals()


def refusals():
    own = b"A" * 20
    get = {b"a": {b"id": own, b"target": b"T" * 20}, b"q": b"get", b"t": b"aa", b"y": b"q"}
    token = ask(lt.bencode(get))[b"r"][b"token"]

    def code(**arguments):
        fields = {key.encode(): value for key, value in arguments.items()}
        query = {b"a": {b"id": own, b"token": token, **fields}, b"q": b"put", b"t": b"aa", b"y": b"q"}
        reply = ask(lt.bencode(query))
        return reply[b"e"][0] if reply[b"y"] == b"e" else 0

    sealed = {"k": b"K" * 32, "sig": b"S" * 64, "seq": 1, "v": b"value"}
    held("a value is taken with its token", code(v=b"value") == 0)
    held("203 without a good one", code(v=b"value", token=b"wrong") == 203)
    held("205 for a value that is too big", code(v=b"v" * 1001) == 205)
    held("206 for a wrong signature", code(**sealed) == 206)
    held("207 for a salt that is too big", code(**sealed, salt=b"s" * 65) == 207)


main()
