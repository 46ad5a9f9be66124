"""A gateway in front of a model: `gateway.py careful|naive UPSTREAM_PORT`. Prints its port first.

A careful one waits half a second for the whole answer, checks what comes, and answers by a rule that is flagged as degraded where nothing
good does. A naive one waits as long as it takes, and passes on what comes.
"""

import concurrent.futures
import http.client
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

IS_CAREFUL = sys.argv[1] == "careful"
UPSTREAM = int(sys.argv[2])
POOL = concurrent.futures.ThreadPoolExecutor(64)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            # A time-out of single reads would not end an answer that comes bit by bit.
            status, answer = POOL.submit(self.ask, body).result(0.5 if IS_CAREFUL else None)
            if IS_CAREFUL:
                predictions = json.loads(answer)["predictions"]
                if status != 200 or len(predictions) != len(json.loads(body)["instances"]):
                    raise ValueError(status)
            self.answer(status, answer)
        except Exception:
            if IS_CAREFUL:
                rows = len(json.loads(body)["instances"])
                degraded = json.dumps({"predictions": [0.5] * rows}).encode()
                self.answer(200, degraded, "x-forewarn-degraded: true\r\n")
            else:
                self.close_connection = True

    def ask(self, body):
        upstream = http.client.HTTPConnection("127.0.0.1", UPSTREAM)
        upstream.request("POST", self.path, body, {"content-type": "application/json"})
        answer = upstream.getresponse()
        return answer.status, answer.read()

    def answer(self, status, body, headers=""):
        head = f"HTTP/1.1 {status} -\r\n{headers}content-length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_port, flush=True)
server.serve_forever()
