"""The web process without the part that ends streams when it is asked to end; for a control."""

from config import asgi
from config.lifespan import with_lifespan
from core.asgi import with_whole_body

application = with_lifespan(
    with_whole_body(asgi.streams, limit_bytes=1000), start=asgi.start_embedded_workers, stop=asgi.stop_embedded_workers
)
