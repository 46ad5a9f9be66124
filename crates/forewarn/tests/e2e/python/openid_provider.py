"""An OpenID provider (pyop) on loopback; the first line is its port.

Its one client is `forewarn` with the secret `hunter2`. What it checks (the redirect URI, PKCE, the client's secret,
that a code is used once) and what it signs is pyop's. Whoever opens its page is signed in as the user whom the
test names: POST /test {"who": NAME, "users": {NAME: claims}, "in_token": [claims], "redirect": URI, "deny": ERROR,
"forge": HOW, "rotate": true} sets what is given. HOW says what an ID token is turned into on its way out: `none`
and `hmac` are signed by nobody and by the client's secret, `stranger` by another key, `garbage` is no token, and
the others say something else than is true.
"""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from Cryptodome.PublicKey import RSA
from jwkest.jwk import RSAKey, SYMKey
from jwkest.jws import JWS
from jwkest.jwt import b64encode_item
from oic.oauth2.message import ErrorResponse
from pyop.authz_state import AuthorizationState
from pyop.exceptions import InvalidAuthenticationRequest, OAuthError
from pyop.provider import Provider
from pyop.subject_identifier import HashBasedSubjectIdentifierFactory
from pyop.userinfo import Userinfo

SECRET = "hunter2"
FALSE = {
    "expired": lambda: {"iat": int(time.time()) - 7200, "exp": int(time.time()) - 3600},
    "slow": lambda: {"iat": int(time.time()) - 600, "exp": int(time.time()) - 20},
    "future": lambda: {"iat": int(time.time()) + 3600, "exp": int(time.time()) + 7200},
    "nonce": lambda: {"nonce": "of-another-attempt"},
    "issuer": lambda: {"iss": "http://127.0.0.1:9"},
    "audience": lambda: {"aud": ["another-client"]},
    "party": lambda: {"aud": ["forewarn"], "azp": "another-client"},
    "subject": lambda: {"sub": "somebody-else"},
}


def key(name):
    return RSAKey(key=RSA.generate(2048), alg="RS256", use="sig", kid=name)


def unsigned(claims):
    head = b64encode_item({"alg": "none", "typ": "JWT"})
    return b".".join([head, b64encode_item(claims), b""]).decode()


def forged(token, how, provider):
    claims = JWS().verify_compact(token, [provider.signing_key])
    if how == "none":
        return unsigned(claims)
    if how == "hmac":
        return JWS(json.dumps(claims), alg="HS256").sign_compact([SYMKey(key=SECRET)])
    if how == "stranger":
        return JWS(json.dumps(claims), alg="RS256").sign_compact([key(provider.signing_key.kid)])
    if how == "garbage":
        return "this.is.nothing"
    claims.update(FALSE[how]())
    return JWS(json.dumps(claims), alg="RS256").sign_compact([provider.signing_key])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path, query = urlsplit(self.path).path, urlsplit(self.path).query
        provider, test = self.server.provider, self.server.test
        if path == "/.well-known/openid-configuration":
            self.answer(200, provider.provider_configuration.to_dict())
        elif path == "/jwks":
            self.answer(200, provider.jwks)
        elif path == "/authorize":
            self.authorize(provider, test, query)
        elif path == "/userinfo":
            self.answer(200, provider.handle_userinfo_request(query, self.headers).to_dict())
        else:
            self.answer(404, {})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        if self.path == "/test":
            self.server.test.update(json.loads(body))
            client["redirect_uris"] = [self.server.test["redirect"]]
            if self.server.test.pop("rotate", False):
                self.server.provider.signing_key = key(f"key-{time.time_ns()}")
            self.answer(200, {})
        elif self.path == "/token":
            self.token(self.server.provider, self.server.test, body)
        else:
            self.answer(404, {})

    def authorize(self, provider, test, query):
        try:
            request = provider.parse_authentication_request(query)
        except InvalidAuthenticationRequest as error:
            return self.answer(400, {"error": str(error)})
        if test["deny"]:
            denied = ErrorResponse(error=test["deny"], state=request["state"])
            return self.redirect(denied.request(request["redirect_uri"]))
        self.server.users.update(test["users"])
        answer = provider.authorize(request, test["who"])
        return self.redirect(answer.request(request["redirect_uri"], False))

    def token(self, provider, test, body):
        user = test["users"][test["who"]]
        extra = {claim: user[claim] for claim in test["in_token"] if claim in user}
        try:
            answer = provider.handle_token_request(body, self.headers, extra).to_dict()
        except OAuthError as error:
            status = 401 if error.oauth_error == "invalid_client" else 400
            return self.answer(status, {"error": error.oauth_error})
        if test["forge"]:
            answer["id_token"] = forged(answer["id_token"], test["forge"], provider)
        return self.answer(200, answer)

    def redirect(self, to):
        self.send_response(303)
        self.send_header("location", to)
        self.send_header("content-length", "0")
        self.end_headers()

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
root = f"http://127.0.0.1:{server.server_port}"
server.users = {}
server.test = {"who": "", "users": {}, "in_token": [], "redirect": "", "deny": "", "forge": ""}
client = {
    "client_secret": SECRET,
    "redirect_uris": [],
    "response_types": ["code"],
    "subject_type": "public",
    "token_endpoint_auth_method": "client_secret_basic",
}
server.provider = Provider(
    key("key-1"),
    {
        "issuer": "https://localhost",
        "authorization_endpoint": f"{root}/authorize",
        "token_endpoint": f"{root}/token",
        "userinfo_endpoint": f"{root}/userinfo",
        "jwks_uri": f"{root}/jwks",
        "end_session_endpoint": f"{root}/logout",
        "subject_types_supported": ["public"],
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "profile", "email"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
    },
    AuthorizationState(HashBasedSubjectIdentifierFactory("salt")),
    {"forewarn": client},
    Userinfo(server.users),
    extra_scopes={"groups": ["groups"]},
)
# pyop insists on HTTPS, which loopback does without.
server.provider.configuration_information["issuer"] = root
print(server.server_port, flush=True)
server.serve_forever()
