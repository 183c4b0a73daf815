"""Redis connections. Redis may be flushed or gone at any time: nothing kept there is the only copy."""

from redis.asyncio import Redis


def create_redis(url: str, name: str) -> Redis:
    return Redis.from_url(url, client_name=name, socket_timeout=5, socket_connect_timeout=5)
