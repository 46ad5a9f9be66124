"""Checks a webhook as its receiver would, with the library of Standard Webhooks.

Reads {"secret", "headers", "body"} from standard input; fails where the signature does not hold.
"""

import json
import sys

from standardwebhooks.webhooks import Webhook

given = json.load(sys.stdin)
Webhook(given["secret"]).verify(given["body"], given["headers"])
