"""A collector of OpenTelemetry spans: says its port, then every span as a line of JSON, read with the message
classes that OpenTelemetry publishes."""

import http.server
import json

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


def value(of):
    return getattr(of, of.WhichOneof("value"))


def attributes(of):
    return {attribute.key: value(attribute.value) for attribute in of}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    told = {
                        "path": self.path,
                        "type": self.headers["Content-Type"],
                        "resource": attributes(resource.resource.attributes),
                        "name": span.name,
                        "kind": span.kind,
                        "status": span.status.code,
                        "trace": span.trace_id.hex(),
                        "parent": span.parent_span_id.hex(),
                        "seconds": (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
                        "attributes": attributes(span.attributes),
                    }
                    print(json.dumps(told), flush=True)
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
