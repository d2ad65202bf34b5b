"""Ends with a sentence unless the PostgreSQL of DATABASE_URL, the Redis of REDIS_URL and the RabbitMQ of
ASSAY_CI_AMQP_URL answer."""

import os
import sys
from urllib.parse import urlsplit

import psycopg
import redis
from kombu import Connection

TIMEOUT_S = 5


def main() -> None:
    """Ask each once."""
    database, cache = urlsplit(os.environ["DATABASE_URL"]), os.environ["REDIS_URL"]
    try:
        # The database that every PostgreSQL has: the tests make their own.
        psycopg.connect(database._replace(path="/postgres").geturl(), connect_timeout=TIMEOUT_S).close()
    except psycopg.Error as error:
        sys.exit(f"PostgreSQL at {database.hostname} does not answer; start it or set ASSAY_CI_DATABASE_URL. {error}")
    try:
        redis.Redis.from_url(cache, socket_connect_timeout=TIMEOUT_S, socket_timeout=TIMEOUT_S).ping()
    except redis.RedisError as error:
        sys.exit(f"Redis at {urlsplit(cache).hostname} does not answer; start it or set ASSAY_CI_REDIS_URL. {error}")
    broker = os.environ["ASSAY_CI_AMQP_URL"]
    link = Connection(broker, connect_timeout=TIMEOUT_S)
    try:
        link.connect()
        link.release()
    except link.connection_errors as error:
        sys.exit(f"RabbitMQ at {urlsplit(broker).hostname} does not answer; start it or set ASSAY_CI_AMQP_URL. {error}")


if __name__ == "__main__":
    main()
