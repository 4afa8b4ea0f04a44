#!/usr/bin/python3
# A headless Chromium, driven over its DevTools protocol, and the page that it
# shows; tests use it through browser.bash, which says how.
#
#	browser.py serve DIR PORT   start both; DIR is a test's own directory
#	browser.py ask DIR COMMAND [ARGUMENT...]
#
# `serve` serves the files of DIR/pages on 127.0.0.1:PORT (an empty page where
# there is none), starts Chromium with a profile in DIR/chromium, and takes
# commands on the UNIX socket DIR/browser.sock until it gets TERM.  `ask` sends
# one command, prints what came of it, and exits with 1 if that was an error.
#
# The DevTools protocol goes through a pipe (--remote-debugging-pipe: messages
# of JSON, each with a NUL behind it), so that no port and no WebSocket is
# needed.

import functools
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading

BROWSERS = ("chromium-headless-shell", "chromium")

OPTIONS = [
    "--headless",
    "--no-sandbox",  # tests run as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-pings",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--mute-audio",
    "--no-proxy-server",
    # Every name is this machine: nothing leaves it, and a page of any site
    # can be had.
    "--host-resolver-rules=MAP * 127.0.0.1",
    "--remote-debugging-pipe",
]


class Failed(Exception):
    """What is said of it is the answer to the command."""


# ---- DevTools ----


class DevTools:
    """One command at a time; events are kept until they are waited for."""

    def __init__(self, argv, patience):
        ours_in, theirs_out = self.pipe()
        theirs_in, ours_out = self.pipe()
        self.patience = patience
        self.process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            pass_fds=(3, 4),
            preexec_fn=functools.partial(self.hand_over, theirs_in, theirs_out),
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self.out = ours_out
        self.inp = os.fdopen(ours_in, "rb")
        self.changed = threading.Condition()
        self.answers = {}
        self.events = []
        self.gone = False
        self.last = 0
        threading.Thread(target=self.read, daemon=True).start()

    @staticmethod
    def pipe():
        import fcntl

        # Not 3 and 4, which are to be these in the child.
        pair = []
        for fd in os.pipe():
            pair.append(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10))
            os.close(fd)
        return pair

    @staticmethod
    def hand_over(inp, out):
        os.dup2(inp, 3)
        os.dup2(out, 4)

    def read(self):
        rest = b""
        while True:
            more = os.read(self.inp.fileno(), 1 << 20)
            parts = (rest + more).split(b"\0")
            rest = parts.pop()
            with self.changed:
                for part in parts:
                    message = json.loads(part)
                    if "id" in message:
                        self.answers[message["id"]] = message
                    else:
                        self.events.append(message)
                self.gone = not more
                self.changed.notify_all()
            if not more:
                return

    def call(self, method, params=None, session=None):
        with self.changed:
            self.last += 1
            number = self.last
        message = {"id": number, "method": method, "params": params or {}}
        if session:
            message["sessionId"] = session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        with self.changed:
            if not self.changed.wait_for(
                lambda: self.gone or number in self.answers, self.patience
            ):
                raise Failed("%s: no answer within %s s" % (method, self.patience))
            if number not in self.answers:
                raise Failed("%s: the browser has ended" % method)
            answer = self.answers.pop(number)
        if "error" in answer:
            raise Failed("%s: %s" % (method, answer["error"].get("message")))
        return answer["result"]

    def forget(self, name):
        with self.changed:
            self.events = [e for e in self.events if e["method"] != name]

    def await_event(self, name):
        def found():
            return [e for e in self.events if e["method"] == name]

        with self.changed:
            if not self.changed.wait_for(lambda: self.gone or found(), self.patience):
                raise Failed("%s: not within %s s" % (name, self.patience))
            if not found():
                raise Failed("%s: the browser has ended" % name)
            return found()[0]["params"]


# ---- the browser ----


class Browser:
    def __init__(self, directory, url, patience):
        program = self.find()
        self.tools = DevTools(
            [program, *OPTIONS, "--user-data-dir=%s/chromium" % directory, "about:blank"],
            patience,
        )
        target = self.tools.call("Target.createTarget", {"url": "about:blank"})
        attached = self.tools.call(
            "Target.attachToTarget", {"targetId": target["targetId"], "flatten": True}
        )
        self.session = attached["sessionId"]
        self.call("Page.enable")
        self.call("Network.enable")
        self.goto(url)

    @staticmethod
    def find():
        for name in BROWSERS:
            for folder in os.environ.get("PATH", "/usr/bin").split(":"):
                if os.access(os.path.join(folder, name), os.X_OK):
                    return os.path.join(folder, name)
        raise Failed("there is none of %s: scripts/setup test" % ", ".join(BROWSERS))

    def call(self, method, params=None):
        return self.tools.call(method, params, self.session)

    def goto(self, url):
        """Show `url`; an error when there is no answer, whatever its status."""
        self.tools.forget("Page.loadEventFired")
        result = self.call("Page.navigate", {"url": url})
        if "errorText" in result and result["errorText"] != "net::ERR_HTTP_RESPONSE_CODE_FAILURE":
            raise Failed("%s: %s" % (url, result["errorText"]))
        self.tools.await_event("Page.loadEventFired")
        return None

    def do(self, script):
        """Run it in the page as the body of an async function; its value."""
        result = self.call(
            "Runtime.evaluate",
            {
                "expression": "(async () => { %s\n })()" % script,
                "awaitPromise": True,
                "returnByValue": True,
                "userGesture": True,
            },
        )
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise Failed(
                details.get("exception", {}).get("description") or details.get("text")
            )
        return result["result"].get("value")

    def throttle(self, up, down="-1", latency="0"):
        """Bytes per second that are sent and received, and ms of latency."""
        self.call(
            "Network.emulateNetworkConditions",
            {
                "offline": False,
                "latency": float(latency),
                "uploadThroughput": float(up),
                "downloadThroughput": float(down),
            },
        )
        return None

    def files(self, selector, *paths):
        """Choose these files in an input of the page, as somebody would by hand."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        found = self.call("DOM.querySelector", {"nodeId": root, "selector": selector})
        self.call("DOM.setFileInputFiles", {"nodeId": found["nodeId"], "files": list(paths)})
        return None

    def command(self, name, arguments):
        if name not in ("goto", "do", "throttle", "files"):
            raise Failed("no such command: %s" % name)
        return getattr(self, name)(*arguments)


# ---- the page ----


class Pages(http.server.SimpleHTTPRequestHandler):
    """Its own files; any other path is an empty page."""

    def do_GET(self):
        path = self.translate_path(self.path)
        if os.path.isfile(path):
            super().do_GET()
            return
        body = b"<!doctype html><title>a page</title><body></body>\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, fmt, *args):
        pass


def serve(directory, port):
    pages = os.path.join(directory, "pages")
    os.makedirs(pages, exist_ok=True)
    web = http.server.ThreadingHTTPServer(
        ("127.0.0.1", int(port)), functools.partial(Pages, directory=pages)
    )
    threading.Thread(target=web.serve_forever, daemon=True).start()
    browser = Browser(
        directory,
        "http://127.0.0.1:%s/" % port,
        float(os.environ.get("PENSTOCK_PATIENCE", "30")),
    )

    def stop(_signal, _frame):
        # Its children end when it does; KILL, for it has nothing to save.
        browser.tools.process.kill()
        browser.tools.process.wait()
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(directory + "/browser.sock")
    listener.listen(8)
    while True:
        peer, _ = listener.accept()
        with peer, peer.makefile("rw") as f:
            name, *arguments = json.loads(f.readline())
            try:
                answer = {"value": browser.command(name, arguments)}
            except Failed as e:
                answer = {"error": str(e)}
            try:
                f.write(json.dumps(answer) + "\n")
                f.flush()
            except OSError:
                pass  # the one that asked is gone


def ask(directory, *command):
    s = socket.socket(socket.AF_UNIX)
    s.connect(directory + "/browser.sock")
    with s, s.makefile("rw") as f:
        f.write(json.dumps(command) + "\n")
        f.flush()
        line = f.readline()
    if not line:
        print("browser.py has ended", file=sys.stderr)
        return 1
    answer = json.loads(line)
    if "error" in answer:
        print(answer["error"], file=sys.stderr)
        return 1
    value = answer["value"]
    if isinstance(value, str):
        print(value)
    elif value is not None:
        print(json.dumps(value))
    return 0


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "serve":
        sys.exit(serve(*sys.argv[2:]))
    if len(sys.argv) >= 4 and sys.argv[1] == "ask":
        sys.exit(ask(*sys.argv[2:]))
    sys.exit("usage: browser.py serve DIR PORT | ask DIR COMMAND [ARGUMENT...]")
