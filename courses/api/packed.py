"""Large JSON answers kept in the cache as they are sent: written once, compressed once, and passed on as bytes.

What is cached is plain JSON itself: the bytes as base64, and their hash, so that a damaged value is told from a whole
one. Nothing a caller sends is part of such an answer, so its length tells nobody of secrets in it.
"""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.utils.cache import patch_vary_headers
from rest_framework.request import Request

# A tenth of the bytes for a tenth of the time that the level of fewest bytes takes.
LEVEL = 3
_GZIP_REFUSED = re.compile(r"gzip\s*;\s*q=0(\.0*)?\s*(,|$)")


def packed(body: Any) -> dict[str, str]:
    """The JSON of `body`, ready to be cached and sent."""
    text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Without the time, so that the same body gives the same bytes.
    data = gzip.compress(text.encode(), LEVEL, mtime=0)
    return {"gzip": base64.b64encode(data).decode("ascii"), "sha256": hashlib.sha256(data).hexdigest()}


def is_packed(value: Mapping[str, Any]) -> bool:
    """Whether this is whole: what `packed` gave, perhaps with other members beside it."""
    data, digest = value.get("gzip"), value.get("sha256")
    if not isinstance(data, str) or not isinstance(digest, str):
        return False
    try:
        return hashlib.sha256(base64.b64decode(data, validate=True)).hexdigest() == digest
    except ValueError:
        return False


def packed_response(request: Request, value: Mapping[str, Any]) -> HttpResponse:
    """The answer: compressed for who takes it so."""
    data = base64.b64decode(value["gzip"])
    accepted = request.headers.get("Accept-Encoding", "").lower()
    takes_gzip = "gzip" in accepted and not _GZIP_REFUSED.search(accepted)
    response = HttpResponse(data if takes_gzip else gzip.decompress(data), content_type="application/json")
    if takes_gzip:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Content-Length"] = str(len(response.content))
    patch_vary_headers(response, ["Accept-Encoding"])
    return response
