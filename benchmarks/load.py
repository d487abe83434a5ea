"""The load: notifications posted over so many connections, each as soon as the last is answered.

A process of its own, on sockets and epoll, so that it takes as little as can be of the two cores
that it shares with the server. It reads one question per line as JSON and answers one line:

    {"port": 8800, "path": "/alipay/notify/shop", "bodies": "file", "first": 0, "last": 16000,
     "connections": 24, "seconds": 4}

``bodies`` is a file of bodies, each after its length in four bytes. A 503 is posted again, as
Alipay does; anything else but ``success`` ends the run.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ANSWER_BYTES_MAX = 65536
SILENCE_SECONDS_MAX = 30


def read_bodies(path: Path) -> list[bytes]:
    """The bodies of a file that `write_bodies` made."""
    content, bodies, at = path.read_bytes(), [], 0
    while at < len(content):
        (length,) = struct.unpack_from(">I", content, at)
        bodies.append(content[at + 4 : at + 4 + length])
        at += 4 + length
    return bodies


def write_bodies(path: Path, bodies: list[bytes]) -> None:
    """Keeps bodies in a file, each after its length."""
    with path.open("wb") as file:
        for body in bodies:
            file.write(struct.pack(">I", len(body)) + body)


@dataclass(slots=True)
class _Connection:
    """One connection, and what it waits for the answer to."""

    socket: socket.socket
    request: bytes
    sent_at: float
    answer: bytes = b""


def run(question: dict[str, Any], bodies: list[bytes]) -> dict[str, Any]:
    """Posts until the seconds are over or nothing is left: what was answered, and how soon."""
    head = (
        f"POST {question['path']} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\nContent-Length: "
    ).encode()
    left = iter(
        head + str(len(body)).encode() + b"\r\n\r\n" + body
        for body in bodies[question["first"] : question["last"]]
    )
    latencies: list[float] = []
    again = 0
    poll = select.epoll()
    open_connections: dict[int, _Connection] = {}
    started = time.perf_counter()
    end = started + question["seconds"]
    for _ in range(question["connections"]):
        own = socket.create_connection(("127.0.0.1", question["port"]))
        own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(own, b"", 0.0)
        if _send_next(connection, left):
            open_connections[own.fileno()] = connection
            poll.register(own.fileno(), select.EPOLLIN)
    while open_connections:
        ready = poll.poll(SILENCE_SECONDS_MAX)
        if not ready:
            raise SystemExit(f"no answer within {SILENCE_SECONDS_MAX} s")
        for number, _ in ready:
            connection = open_connections[number]
            status = _read_answer(connection)
            if status is None:
                continue
            now = time.perf_counter()
            if status == 503:
                again += 1
                connection.socket.sendall(connection.request)
                continue
            latencies.append(now - connection.sent_at)
            if now > end or not _send_next(connection, left):
                poll.unregister(number)
                open_connections.pop(number).socket.close()
    return {
        "answered": len(latencies),
        "again": again,
        "seconds": time.perf_counter() - started,
        "latencies": [round(value, 6) for value in sorted(latencies)],
    }


def _send_next(connection: _Connection, left: Iterator[bytes]) -> bool:
    request = next(left, None)
    if request is None:
        return False
    connection.request = request
    connection.sent_at = time.perf_counter()
    connection.socket.sendall(request)
    return True


def _read_answer(connection: _Connection) -> int | None:
    """The status once the answer is whole; an answer other than ``success`` and 503 ends it all."""
    connection.answer += connection.socket.recv(ANSWER_BYTES_MAX)
    head, found, body = connection.answer.partition(b"\r\n\r\n")
    if not found:
        if not connection.answer:
            raise SystemExit("the server closed a connection")
        return None
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    if len(body) < length:
        return None
    status, connection.answer = int(head[9:12]), b""
    if status != 503 and body != b"success":
        raise SystemExit(f"not a success: {head[:40]!r} {body[:200]!r}")
    return status


def main() -> None:
    """Answers questions until there are no more."""
    bodies: list[bytes] = []
    name = ""
    for line in sys.stdin:
        question = json.loads(line)
        if question["bodies"] != name:
            name = question["bodies"]
            bodies = read_bodies(Path(name))
        print(json.dumps(run(question, bodies)), flush=True)


if __name__ == "__main__":
    main()
