#!/usr/bin/python3
"""
Uploads over TLS by requests (and urllib3), as t/7020 wants them of each client; see
there what is to be done, and what is to be said of it.
"""
import hashlib
import os
import ssl

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool

PORT = os.environ["PORT"]
FIRST = "https://127.0.0.1:" + PORT
NAMED = "https://localhost:" + PORT
STRANGER = "https://localhost:" + os.environ["STRANGER"]
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class Noting(HTTPSConnection):
    """What each connection has agreed on: an answer that was read has none any more."""
    version = None

    def connect(self):
        super().connect()
        Noting.version = self.sock.version()


HTTPSConnectionPool.ConnectionCls = Noting


class Only(HTTPAdapter):
    """One version of TLS; names are compared by urllib3."""

    def __init__(self, version):
        self.version = version
        super().__init__()

    def init_poolmanager(self, *args, **kwargs):
        context = ssl.create_default_context(cafile="server.pem")
        context.check_hostname = False
        context.minimum_version = context.maximum_version = self.version
        super().init_poolmanager(*args, ssl_context=context, **kwargs)


def session(version):
    s = requests.Session()
    s.verify = "server.pem"
    s.mount("https://", Only(VERSIONS[version]))
    return s


def whole(answer, body):
    receipt = answer.json()
    same = receipt["digest"]["sha-256"] == hashlib.sha256(body).hexdigest()
    return "whole" if same and receipt["bytes"] == len(body) else "not whole"


def pieces(body):
    for i in range(0, len(body), 70001):
        yield body[i:i + 70001]


def problem(answer):
    return "%d %s" % (answer.status_code, answer.json()["detail"].split(":")[0])


def uploads(v, body):
    s = session(v)
    say = lambda *what: print(v, *what, flush=True)
    a = s.put("%s/file/%s-put" % (FIRST, v), data=body)
    say("version", Noting.version)
    say("put", a.status_code, whole(a, body))
    a = s.put("%s/file/%s-again" % (FIRST, v), data=open("body", "rb"))
    say("again", a.status_code, whole(a, body))
    a = s.put("%s/file/%s-stream" % (FIRST, v), data=pieces(body))
    say("stream", a.status_code, whole(a, body))
    say("large", problem(s.put("%s/small/%s-large" % (FIRST, v), data=open("large", "rb"))))
    say("nobody", problem(s.put("%s/token/%s-nobody" % (FIRST, v), data=open("large", "rb"))))
    token = {"Authorization": "Bearer " + open("token").read().strip()}
    a = s.put("%s/token/%s-token" % (FIRST, v), data=body, headers=token)
    say("token", a.status_code, a.json()["remote_user"])
    a = session(v).put("%s/cert/%s-cert" % (FIRST, v), data=body, cert=("ann.pem", "ann.key"))
    say("certificate", a.status_code, a.json()["remote_user"])
    say("name", session(v).put("%s/file/%s-name" % (NAMED, v), data=body).status_code)
    try:
        session(v).put("%s/file/%s-stranger" % (STRANGER, v), data=body)
        say("stranger served")
    except requests.exceptions.SSLError:
        say("stranger refused")


for version in VERSIONS:
    uploads(version, open("body", "rb").read())
