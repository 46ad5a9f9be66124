"""A web server on loopback that writes each request as a JSON line, and its port as the first line.

The path says how it behaves: /STATUS answers with that status, /hang never answers, /giant answers
without an end, /redirect sends elsewhere, /repeat answers with the path and the body that it got.
"""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        print(json.dumps({"path": self.path, "headers": headers, "body": body}), flush=True)
        word = self.path.split("/")[1]
        if word == "hang":
            time.sleep(60)
        elif word == "giant":
            self.send_response(200)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            except OSError:
                self.close_connection = True
        elif word == "redirect":
            self.answer(307, "", {"location": "http://127.0.0.1:9/elsewhere/secret"})
        elif word == "repeat":
            self.answer(400, f"bad request {self.path} {body}")
        elif word == "429":
            self.answer(429, "slow down", {"retry-after": "7"})
        else:
            self.answer(int(word), "ok")

    def answer(self, status, text, headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_port, flush=True)
server.serve_forever()
