"""The local stack: the real servers and every service as child processes on loopback, data under ``$DWELL_HOME``.

`bootstrap` runs with the system's Python alone and makes what the rest needs (system packages, virtual environment,
Kafka's jars, the built frontend); ``python -m deploy.local`` then runs inside that environment. Tests take
`LocalServers` (Kafka, PostgreSQL and Redis) from `deploy.local.test_servers` and a whole `Stack` from
`deploy.local.stack`.
"""
