"""
Programs that are started by a parent that left its marks on them: signals,
descriptors, outputs and system calls that are not as usual.
"""
import os
import sys


def _signals(names):
    import signal
    return [getattr(signal, "SIG" + n) for n in filter(None, names.split(","))]


def with_signals(ignored, blocked, *command):
    """Become COMMAND, with these signals (TERM,INT...) IGNORED and BLOCKED."""
    import signal
    for n in _signals(ignored):
        signal.signal(n, signal.SIG_IGN)
    if "PIPE" not in ignored.split(","): # which Python ignores
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, _signals(blocked))
    os.execv(command[0], command)


def with_descriptors(*command):
    """Become COMMAND, with an epoll, a socket and an eventfd open beside 700, and 1999."""
    import select
    import socket
    epoll, tcp = select.epoll(), socket.socket()
    for fd in epoll.fileno(), tcp.fileno(), os.eventfd(0):
        os.dup2(fd, 700 + fd)
    os.dup2(0, 1999)
    os.execv(command[0], command)


def with_nonblocking_output(*command):
    """Become COMMAND, with a stdout that does not block."""
    os.set_blocking(1, False)
    os.execv(command[0], command)


def with_sockets_for_output(*command):
    """Run COMMAND with sockets as stdout, stderr and descriptor 60; prints what it wrote
    to stderr, and ends as it does."""
    import socket
    import subprocess
    a, b = socket.socketpair()
    c, d = socket.socketpair()
    os.dup2(a.fileno(), 60)
    r = subprocess.run(command, stdout=b, stderr=d, pass_fds=[60], timeout=20)
    d.close()
    sys.stdout.write(c.recv(65536).decode())
    sys.exit(r.returncode)


def without_sync(*command):
    """Become COMMAND, for which fsync says 0 and does nothing, as below systemd-nspawn
    --suppress-sync and eatmydata."""
    import ctypes
    import platform
    import struct
    numbers = {"x86_64": (74, 75, 277), "aarch64": (82, 83, 84)}[platform.machine()]
    ins = [(0x20, 0, 0, 0)]
    for k, n in enumerate(numbers):
        ins.append((0x15, len(numbers) - k, 0, n))
    ins += [(0x06, 0, 0, 0x7fff0000), (0x06, 0, 0, 0x00050000)]
    code = b"".join(struct.pack("HBBI", *i) for i in ins)
    buf = ctypes.create_string_buffer(code, len(code))
    prog = struct.pack("HxxxxxxQ", len(ins), ctypes.addressof(buf))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = [ctypes.c_int] + 4 * [ctypes.c_void_p]
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.cast(prog, ctypes.c_void_p), 0, 0):
        sys.exit("seccomp: errno %d" % ctypes.get_errno())
    os.execv(command[0], command)


def _listener(text):
    import socket
    kind = socket.SOCK_STREAM
    if text.startswith("datagram:"):
        kind, text = socket.SOCK_DGRAM, text[9:]
    if text.startswith("unix:"):
        s, at = socket.socket(socket.AF_UNIX, kind), text[5:]
    else:
        host, port = text.rsplit(":", 1)
        family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
        s, at = socket.socket(family, kind), (host.strip("[]"), int(port))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    s.bind(at)
    if kind == socket.SOCK_STREAM:
        s.listen(100)
    return s


def _become(sockets, names, extra, command):
    """In a child of the manager: COMMAND, with these from 3 on."""
    spare = [os.dup(s.fileno()) for s in sockets]
    high = [os.dup2(fd, 200 + n) for n, fd in enumerate(spare)]
    for n, fd in enumerate(high):
        os.dup2(fd, 3 + n)
        os.set_inheritable(3 + n, True)
    env = dict(os.environ, **extra)
    if sockets:
        env.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(sockets)),
                   LISTEN_FDNAMES=":".join(names))
    os.execve(command[0], command, env)


def as_service(notify, watchdog_us, runs, sockets, *command):
    """Run COMMAND as a service manager does, RUNS times one after the other; ends as the
    last one does.  It is told of NOTIFY (a path, @NAME, or none), where each datagram
    becomes a line of the file `told`, of WATCHDOG_US (0: no watchdog), and is handed over
    SOCKETS: NAME=ADDRESS,... (datagram:ADDRESS is one that does not listen)."""
    import socket
    names, listeners, extra, ears = [], [], {}, None
    for one in filter(None, sockets.split(",")):
        name, text = one.split("=", 1)
        names.append(name)
        listeners.append(_listener(text))
    if notify != "none":
        ears = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        ears.bind(notify.replace("@", "\0", 1))
        ears.settimeout(0.05)
        extra["NOTIFY_SOCKET"] = notify
    status = 0
    for _ in range(int(runs)):
        pid = os.fork()
        if pid == 0:
            if int(watchdog_us):
                extra.update(WATCHDOG_USEC=watchdog_us, WATCHDOG_PID=str(os.getpid()))
            _become(listeners, names, extra, command)
        status = _hear(ears, pid)
    sys.exit(status)


def _hear(ears, pid):
    """Until that process has ended: what is told becomes lines."""
    import socket
    import time
    ended = status = 0
    with open("told", "a", buffering=1) as told:
        while True:
            try:
                if ears is None:
                    time.sleep(0.05)
                    raise socket.timeout
                told.write(ears.recv(4096).decode().replace("\n", " ") + "\n")
            except socket.timeout:
                if ended:
                    return os.waitstatus_to_exitcode(status)
                ended, status = os.waitpid(pid, os.WNOHANG)


def on_terminal(*command):
    """Run COMMAND in the foreground of a terminal of its own, whose size changes once it
    listens (the file `resized` is made then); ends as it does."""
    import fcntl
    import pty
    import struct
    import termios
    import time
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(PENSTOCK_TEST=os.getcwd(), PENSTOCK_TEST_TOO=os.getcwd())
        os.execv(command[0], command)
    while not os.path.exists("penstock.pid"):
        time.sleep(0.02)
    while "worker ready" not in open("error.log").read():
        time.sleep(0.02)
    for rows in range(10, 20):
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 80, 0, 0))
        time.sleep(0.02)
    open("resized", "w").close()
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def hand_over_memory(*command):
    """Run COMMAND as a master of another version does that is to be replaced by it: with shared
    memory of another layout, and no sockets; ends as it does."""
    import fcntl
    memory = os.memfd_create("penstock", os.MFD_ALLOW_SEALING)
    os.write(memory, b"another layout" + bytes(1 << 20))
    fcntl.fcntl(memory, 1033, 0x0007) # F_ADD_SEALS: no other size, and no other seals
    errors = os.dup(2)
    os.set_inheritable(memory, True)
    os.set_inheritable(errors, True)
    pid = os.fork()
    if pid == 0:
        os.environ.update(PENSTOCK_TEST=os.getcwd(), PENSTOCK_TEST_TOO=os.getcwd(),
                          PENSTOCK_UPGRADE="1 %d -1 %d %d -1 4\n" % (os.getppid(), errors, memory))
        os.execv(command[0], command)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
