"""
Files, locks and directories as others on the same disk make and hold them.
"""
import os
import sys
import time


def _made(name):
    open(name, "w").close()


def leave_socket(path):
    """A UNIX socket at PATH of a process that is gone."""
    import socket
    socket.socket(socket.AF_UNIX).bind(path)


def set_attribute(file):
    """FILE has an extended attribute."""
    os.setxattr(file, "user.test", b"x")


def resident(file):
    """Print how many bytes of FILE are in the page cache."""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + 3 * [ctypes.c_int] + [ctypes.c_long]
    libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
    fd = os.open(file, os.O_RDONLY)
    size = os.fstat(fd).st_size
    if size == 0:
        print(0)
        return
    at = libc.mmap(None, size, 1, 1, fd, 0) # PROT_READ, MAP_SHARED
    pages = (size + 4095) // 4096
    vec = ctypes.create_string_buffer(pages)
    if libc.mincore(at, size, vec) != 0:
        raise OSError(ctypes.get_errno(), "mincore")
    print(4096 * sum(b & 1 for b in vec.raw[:pages]))


def fill_blocks(disk):
    """A file DISK/room.1 takes all blocks, so that there are none for inodes either."""
    import errno
    at, size = 0, 1 << 26
    fd = os.open(disk + "/room.1", os.O_CREAT | os.O_WRONLY)
    while size >= 4096:
        try:
            os.posix_fallocate(fd, at, size)
            at += size
        except OSError:
            size //= 2
    os.fsync(fd)
    try:
        os.open(disk, os.O_TMPFILE | os.O_WRONLY)
        sys.exit("it is not full")
    except OSError as e:
        assert e.errno == errno.ENOSPC


def exchange(one, other, seconds: float):
    """ONE and OTHER have each other's name, again and again (RENAME_EXCHANGE)."""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        libc.renameat2(-100, os.fsencode(one), -100, os.fsencode(other), 2)


# ---- locks; the file `held` appears when it is ours

def hold_file(file):
    """FILE is locked by fcntl, until stdin ends."""
    import fcntl
    f = open(file, "r+")
    fcntl.lockf(f, fcntl.LOCK_EX)
    _made("held")
    sys.stdin.read()


def hold_directory(directory):
    """DIRECTORY is locked as any build of the server does it, for a minute."""
    import fcntl
    d = os.open(directory, os.O_RDONLY)
    fcntl.flock(d, fcntl.LOCK_EX)
    f = os.open("lock", os.O_RDWR | os.O_CREAT, dir_fd=d)
    fcntl.lockf(f, fcntl.LOCK_EX)
    _made("held")
    time.sleep(60)


def hold_for_reading(file):
    """FILE is locked by fcntl as any reader of it may do, for a minute."""
    import fcntl
    f = open(file)
    fcntl.lockf(f, fcntl.LOCK_SH)
    _made("held")
    time.sleep(60)
