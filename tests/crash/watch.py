#!/usr/bin/python3 -B
# Watch an output directory: whatever name appears in it must be complete at
# that moment, and under the name it was sent under.
#
#   watch.py DIRECTORY      until its standard input ends
#
# Prints "ready", then a line for each broken rule, then "looked at N names".
# A program of its own, to be quick about it.

import ctypes
import errno
import os
import select
import struct
import sys

import oracle

IN_CREATE, IN_MOVED_TO, IN_Q_OVERFLOW, IN_IGNORED, IN_ISDIR = 0x100, 0x80, 0x4000, 0x8000, 0x40000000
IN_ONLYDIR = 0x1000000
IN_NONBLOCK = os.O_NONBLOCK

libc = ctypes.CDLL(None, use_errno=True)


class Watch:
    def __init__(self, root):
        self.root = root
        self.fd = libc.inotify_init1(IN_NONBLOCK | os.O_CLOEXEC)
        self.dirs = {}
        self.count = 0
        self.add("")

    def say(self, what):
        print(what, flush=True)

    def add(self, path):
        """Watch a directory, and look at what is in it already."""
        full = os.path.join(self.root, path)
        wd = libc.inotify_add_watch(
            self.fd, os.fsencode(full), IN_CREATE | IN_MOVED_TO | IN_ONLYDIR
        )
        if wd == -1:
            if ctypes.get_errno() not in (errno.ENOENT, errno.EIO):
                self.say("cannot watch %s: %s" % (path, os.strerror(ctypes.get_errno())))
            return
        self.dirs[wd] = path
        if path == "":
            return  # what was there before is judged elsewhere
        try:
            entries = list(os.scandir(full))
        except OSError:
            return  # the disk has gone
        for e in entries:
            self.look(os.path.join(path, e.name), e.is_dir(follow_symlinks=False))

    def look(self, path, is_dir):
        # The server's own: it tries the directory at its start, and where a file
        # is to get what its directory hands down it is made there.
        if path == oracle.TEMP_DIR or os.path.basename(path).startswith(oracle.TEMP_DIR + "-"):
            return
        if is_dir:
            self.add(path)
            return
        self.count += 1
        try:
            _, name = oracle.examine_path(os.path.join(self.root, path))
            if not oracle.fits_name(name, path):
                self.say("appeared under a wrong name: %s" % path)
        except oracle.Damaged as e:
            self.say("appeared before it was complete: %s: %s" % (path, e))
        except OSError as e:
            # A disk that was pulled out says nothing of the name.
            if e.errno not in (errno.EIO, errno.ESHUTDOWN):
                self.say("appeared and cannot be read: %s: %s" % (path, e.strerror))

    def take(self):
        try:
            data = os.read(self.fd, 1 << 20)
        except BlockingIOError:
            return False
        at = 0
        while at < len(data):
            wd, mask, _, n = struct.unpack_from("iIII", data, at)
            name = os.fsdecode(data[at + 16 : at + 16 + n].rstrip(b"\0"))
            at += 16 + n
            if mask & IN_Q_OVERFLOW:
                self.say("more events than can be watched")
            elif mask & IN_IGNORED:
                self.dirs.pop(wd, None)
            elif wd in self.dirs and mask & (IN_CREATE | IN_MOVED_TO):
                self.look(os.path.join(self.dirs[wd], name), mask & IN_ISDIR)
        return True

    def run(self):
        self.say("ready")
        while True:
            ready = select.select([self.fd, 0], [], [])[0]
            if self.fd in ready:
                self.take()
            elif 0 in ready and not os.read(0, 1):
                break
        while self.take():
            pass
        self.say("looked at %d names" % self.count)


if __name__ == "__main__":
    Watch(sys.argv[1]).run()
