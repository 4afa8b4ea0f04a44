#!/usr/bin/python3
"""
Uploads by tuspy, and by requests with the fields of tus written by hand.

    with_tuspy.py tuspy URL FILE [OPTIONS]       JSON: arguments of its uploader(), and
                                                 "stop_at": so many bytes, and then another
                                                 client goes on by what it has stored of URLs
    with_tuspy.py requests URL FILE

Says `done URL`, or `failed` and why.
"""
import base64
import json
import os
import sys
from urllib.parse import urljoin

import requests
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError
from tusclient.fingerprint.fingerprint import Fingerprint
from tusclient.storage.filestorage import FileStorage


def tuspy(url, file, options="{}"):
    options = json.loads(options)
    stop_at = options.pop("stop_at", None)
    options = {"retries": 5, "retry_delay": 0.2, **options}
    if stop_at:
        options.update(store_url=True, url_storage=FileStorage("tuspy.json"), fingerprinter=Fingerprint())
        TusClient(url).uploader(file, **options).upload(stop_at=stop_at)
    uploader = TusClient(url).uploader(file, **options)
    uploader.upload()
    return uploader.url


def by_requests(url, file):
    with open(file, "rb") as f:
        length = os.fstat(f.fileno()).st_size
        name = base64.b64encode(os.path.basename(file).encode()).decode()
        tus = {"Tus-Resumable": "1.0.0"}
        s = requests.Session()
        answer = s.post(url, headers={**tus, "Upload-Length": str(length), "Upload-Metadata": "filename " + name})
        answer.raise_for_status()
        upload = urljoin(url, answer.headers["Location"])
        # The first half, as much as is known of it by HEAD, and the rest from where it is.
        for end in (length // 2, length):
            at = int(s.head(upload, headers=tus).headers["Upload-Offset"])
            f.seek(at)
            s.patch(upload, data=f.read(end - at), headers={
                **tus, "Upload-Offset": str(at), "Content-Type": "application/offset+octet-stream"}).raise_for_status()
    return upload


def main():
    how = {"tuspy": tuspy, "requests": by_requests}[sys.argv[1]]
    try:
        print("done", how(*sys.argv[2:]))
    except (TusCommunicationError, requests.RequestException) as e:
        print("failed", e, getattr(e, "response_content", "") or "")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
