"""A mail server on loopback that writes what it gets as JSON lines, and its port as the first line.

Arguments: --port for a port that is not just free, --starttls CERT KEY and --tls CERT KEY for encryption, --login for a user `ops` with the
password `hunter2`, --answer LINE for what it says instead of taking a mail.
"""

import argparse
import asyncio
import email
import email.policy
import json
import ssl

from aiosmtpd.smtp import SMTP, AuthResult

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--starttls", nargs=2)
parser.add_argument("--tls", nargs=2)
parser.add_argument("--login", action="store_true")
parser.add_argument("--answer")
options = parser.parse_args()


def say(value):
    print(json.dumps(value), flush=True)


class Handler:
    async def handle_DATA(self, server, session, envelope):
        if options.answer:
            return options.answer
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        say({
            "to": envelope.rcpt_tos,
            "from": envelope.mail_from,
            "encrypted": server.transport.get_extra_info("ssl_object") is not None,
            "login": session.authenticated,
            "headers": {name.lower(): str(value) for name, value in mail.items()},
            "text": mail.get_body(("plain",)).get_content(),
            "html": mail.get_body(("html",)).get_content(),
        })
        return "250 kept"


def authenticate(server, session, envelope, mechanism, data):
    # Unhandled: the answer to the client is still to be sent.
    return AuthResult(success=data.login == b"ops" and data.password == b"hunter2", handled=False)


def context(files):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*files)
    return made


def conversation():
    return SMTP(
        Handler(),
        hostname="localhost",
        tls_context=context(options.starttls) if options.starttls else None,
        require_starttls=bool(options.starttls),
        authenticator=authenticate if options.login else None,
        auth_required=options.login,
        auth_require_tls=not options.tls,
    )


async def serve():
    tls = context(options.tls) if options.tls else None
    server = await asyncio.get_running_loop().create_server(conversation, "127.0.0.1", options.port, ssl=tls)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(serve())
