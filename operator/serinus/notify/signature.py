"""How a receiver knows that a request is Serinus' own: an HMAC of the time and the body, by a key that both have."""

import hashlib
import hmac


def signature(key: bytes, body: bytes, at: int) -> str:
    """Value of the header Serinus-Signature: `t=TIME,v1=HEX`, SHA-256 of `TIME.BODY`; `at` in seconds since 1970."""
    told = hmac.new(key, f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={told}"
