"""A file server on this machine that misbehaves on request, as servers of old data sets do."""

import contextlib
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Fault:
    """How one reply goes wrong."""

    status: int = 0  # answered instead of the file
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None  # bytes of the body, then the connection is closed
    stall_after: int | None = None  # bytes of the body, then nothing more comes, and nothing is closed
    length_off_by: int = 0  # what the announced length is too large by
    without_length: bool = False
    chunked: bool = False
    ignore_range: bool = False
    wrong_range: bool = False
    ignore_if_range: bool = False
    then: Callable[[], object] | None = None  # called when the body is sent, before the connection ends


@dataclass
class Request:
    """What a client asked for."""

    path: str
    range: str | None
    sent: int = 0  # bytes of the body


class Server:
    """Files by path, the faults of their next replies, and the requests that came."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.files: dict[str, bytes] = {}
        self.etags: dict[str, str] = {}
        self.faults: dict[str, deque[Fault]] = defaultdict(deque)
        self.always: dict[str, Fault] = {}
        self.requests: list[Request] = []
        self.stopped = threading.Event()

    def add(self, path: str, content: bytes, *faults: Fault, etag: str | None = "v1") -> str:
        """Serves this content from now on; returns its address."""
        self.files[path] = content
        if etag is not None:
            self.etags[path] = f'"{etag}"'
        self.faults[path].extend(faults)
        return f"{self.address}/{path}"

    def ranges(self, path: str) -> list[str | None]:
        return [request.range for request in self.requests if request.path == path]


def handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            path = self.path.lstrip("/")
            asked = self.headers.get("Range")
            request = Request(path, asked)
            server.requests.append(request)
            fault = server.faults[path].popleft() if server.faults[path] else server.always.get(path, Fault())
            if path not in server.files or fault.status:
                self.send_response(fault.status or 404)
                for name, value in fault.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            content, etag = server.files[path], server.etags.get(path)
            valid = fault.ignore_if_range or self.headers.get("If-Range") in (None, etag)
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
            partial = bool(asked) and valid and not fault.ignore_range
            if partial and start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = content[start:] if partial and not fault.wrong_range else content
            self.send_response(206 if partial else 200)
            if partial:
                first = 0 if fault.wrong_range else start
                self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
            if etag:
                self.send_header("ETag", etag)
            if fault.chunked:
                self.send_header("Transfer-Encoding", "chunked")
            elif not fault.without_length:
                self.send_header("Content-Length", str(len(body) + fault.length_off_by))
            self.end_headers()
            last = len(body) + min(fault.length_off_by, 0)
            end = last if fault.cut_after is None else min(fault.cut_after, last)
            end = end if fault.stall_after is None else fault.stall_after
            with contextlib.suppress(ConnectionError):
                for at in range(0, end, 4096):
                    block = body[at : min(at + 4096, end)]
                    request.sent += len(block)  # before the client can have it, and the test can ask
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(block), block) if fault.chunked else block)
                if fault.chunked and end == len(body):
                    self.wfile.write(b"0\r\n\r\n")
                self.wfile.flush()
            if fault.then is not None:
                fault.then()
            if fault.stall_after is not None:
                server.stopped.wait(30)
            self.close_connection = (
                self.close_connection or end < len(body) or bool(fault.without_length or fault.length_off_by)
            )

    return Handler


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """A server on a free port, until the block ends."""
    found: list[Server] = []

    def make(*arguments: Any) -> BaseHTTPRequestHandler:
        return handler(found[0])(*arguments)

    with ThreadingHTTPServer(("127.0.0.1", 0), make) as http:
        http.daemon_threads = True
        found.append(Server(f"http://127.0.0.1:{http.server_address[1]}"))
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield found[0]
        finally:
            found[0].stopped.set()
            time.sleep(0.01)
            http.shutdown()
            thread.join()
