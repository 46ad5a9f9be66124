"""A folder for what is recorded, and a server that takes what is sent."""

import contextlib
import datetime as dt
import gzip
import http.server
import json
import logging
import tempfile
import threading
import unittest
from pathlib import Path

from forewarn import emit, settings
from forewarn import server as client

NOON = dt.datetime(2026, 11, 27, 12, tzinfo=dt.timezone.utc)


class Recorded(unittest.TestCase):
    """Tests in a folder of their own, with settings of their own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.configure(folder=self.folder / "lineage", spool=self.folder / "spool", namespace="tests", strict=True)
        self.addCleanup(self.forget)
        self.forget()
        self.configure(folder=self.folder / "lineage", spool=self.folder / "spool", namespace="tests", strict=True)

    def forget(self):
        settings._configured.clear()
        settings._told.clear()
        emit._patience.until = 0.0

    def configure(self, **given):
        settings.configure(**given)

    def events(self):
        """Everything that was written, in the order of files and lines."""
        paths = sorted((self.folder / "lineage").glob("*.ndjson"))
        return [json.loads(line) for path in paths for line in path.read_text("utf-8").splitlines()]

    def last(self, kind="COMPLETE"):
        return [event for event in self.events() if event["eventType"] == kind][-1]

    @contextlib.contextmanager
    def warnings(self):
        """The warnings that are logged meanwhile."""
        told = []
        handler = logging.Handler()
        handler.emit = lambda record: told.append(record.getMessage())
        log = logging.getLogger("forewarn")
        log.addHandler(handler)
        log.propagate = False
        try:
            yield told
        finally:
            log.removeHandler(handler)
            log.propagate = True

    @contextlib.contextmanager
    def server(self, answers):
        """A server that gives these answers, (status, headers, body), the last one from then on."""
        asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                asked.append((self.path, dict(self.headers), body.decode()))
                status, headers, told = answers[min(len(asked), len(answers)) - 1]
                told = told(body.decode()) if callable(told) else told
                data = json.dumps(told).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=lambda: running.serve_forever(0.01), daemon=True)
        thread.start()
        waits, client.time.sleep = client.time.sleep, lambda _: None
        try:
            self.configure(url=f"http://127.0.0.1:{running.server_port}/", token="fw_test")
            yield asked
        finally:
            client.time.sleep = waits
            running.shutdown()
            running.server_close()
            thread.join()
