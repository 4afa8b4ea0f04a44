"""
Clients that upload all the time while the server is reloaded, replaced or stopped, and
whether each upload is stored as it was sent.
"""
import hashlib
import http.client
import os
import random
import sys
import threading
import time

PORT = int(os.environ["PORT"])


class _Tally:
    def __init__(self):
        self.lock = threading.Lock()
        self.good, self.wrong = 0, []

    def add(self, wrong):
        with self.lock:
            if wrong is None:
                self.good += 1
            else:
                self.wrong.append(wrong)


def _connect(tls):
    if not tls:
        return http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    import ssl
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection("127.0.0.1", PORT, timeout=60, context=context)


def _stored(path, body):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).digest() == hashlib.sha256(body).digest()


def _upload(c, store, name, body, send):
    """None: it was taken, and is there as it was sent; else what is wrong."""
    try:
        send(c, "/file/" + name, body)
        a = c.getresponse()
        a.read()
    except (OSError, http.client.HTTPException) as e:
        c.close()
        return "%s: %s: %s" % (name, type(e).__name__, e)
    if a.status != 201:
        return "%s: %d" % (name, a.status)
    path = os.path.join(store, name)
    if not _stored(path, body):
        return "%s: not as it was sent" % name
    os.unlink(path)
    return None


def _at_once(c, path, body):
    c.request("PUT", path, body)


def _slowly(c, path, body):
    """In some 2.5 seconds."""
    c.putrequest("PUT", path)
    c.putheader("Content-Length", str(len(body)))
    c.endheaders()
    for i in range(0, len(body), 10000):
        c.send(body[i:i + 10000])
        time.sleep(0.025)


def _client(tally, store, number, slow, tls):
    c, rounds = _connect(tls), random.Random(number)
    send = _slowly if slow else _at_once
    i = 0
    while not os.path.exists("enough"):
        body = rounds.randbytes(1000000 if slow else rounds.randrange(20000))
        tally.add(_upload(c, store, "%d-%d" % (number, i), body, send))
        i += 1
        # A kept connection half of the time; http.client opens a new one when it has to.
        if rounds.random() < 0.5:
            c.close()


def go_on(store, small: int, slow: int, tls: int):
    """SMALL clients upload one small file after the other, SLOW ones each a large one slowly,
    half of them over TLS if TLS, until the file `enough` exists.  Prints how many of each
    were stored as they were sent, and ends with 1 if any was not."""
    tallies = {False: _Tally(), True: _Tally()}
    threads = [threading.Thread(target=_client, args=(tallies[n >= small], store, n, n >= small, tls and n % 2))
               for n in range(small + slow)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for kind, tally in tallies.items():
        print("%s: %d good, %d wrong" % ("slow" if kind else "small", tally.good, len(tally.wrong)))
        print(*tally.wrong[:20], sep="\n")
    sys.exit(any(t.wrong for t in tallies.values()))
