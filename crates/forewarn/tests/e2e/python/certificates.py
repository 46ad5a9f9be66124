"""Makes an authority and a certificate for localhost in the folder given as argument."""

import sys
from pathlib import Path

import trustme

folder = Path(sys.argv[1])
authority = trustme.CA()
certificate = authority.issue_cert("localhost", "127.0.0.1")
authority.cert_pem.write_to_path(folder / "authority.pem")
certificate.private_key_pem.write_to_path(folder / "key.pem")
chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
(folder / "certificate.pem").write_bytes(chain)
