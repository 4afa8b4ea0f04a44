#!/usr/bin/python3
"""A form by requests: form_requests.py URL; the file f, under two names, and a field."""
import sys

import requests

with open("f", "rb") as f, open("f", "rb") as g:
    a = requests.post(sys.argv[1], data={"note": "ü"}, files=[
        ("up", f), ("up", ('C:\\dir\\a "b" ä.txt', g, "text/plain"))])
print(a.status_code, *[f["name"] for f in a.json()["files"]])
