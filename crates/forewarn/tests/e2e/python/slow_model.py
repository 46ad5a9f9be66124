"""The rule "x above 10" behind HTTP, one request after the other, each for so many milliseconds.

Prints its port first. `slow_model.py 5` serves up to 200 requests a second.
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SERVICE = float(sys.argv[1]) / 1000
turn = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with turn:
            time.sleep(SERVICE)
        scores = [0.9 if row["x"] > 10 else 0.1 for row in asked["instances"]]
        body = json.dumps({"predictions": scores}).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


server = Server(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
