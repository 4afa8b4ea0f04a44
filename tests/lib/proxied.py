"""
A proxy that says whose connection it passes on.
"""
import socket


def send(address, port, line):
    """Connect from ADDRESS to PORT, send LINE (with \\r, \\n, \\0 and \\xHH) and an upload
    of nothing to /file; print the status, or `closed`."""
    line = line.encode().decode("unicode_escape").encode("latin-1")
    s = socket.create_connection(("127.0.0.1", int(port)), 30, (address, 0))
    for piece in (line[:9], line[9:]):
        s.sendall(piece)
    s.sendall(b"POST /file HTTP/1.1\r\nHost: x\r\n"
              b"Connection: close\r\nContent-Length: 0\r\n\r\n")
    answer = b""
    try:
        while piece := s.recv(4096):
            answer += piece
    except ConnectionResetError:
        pass
    print(answer[9:12].decode() or "closed")
