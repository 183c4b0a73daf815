"""The connector as a process of its own on one core, and a Corsight that costs little on another."""

import time

import httpx

from deploy.local.ports import free_ports
from services.common.metrics import CONSUMED
from tests.benchmarks.bench import Bench, cpu_seconds, peak_bytes, pin
from tests.support.waiting import wait_until

SECONDS = 900.0


async def deliver(bench: Bench, source: str, items: int, *vendor: str) -> dict[str, float]:
    """Items a second from the first request to Kafka's last answer, CPU seconds for a million, and memory in MB."""
    [port] = free_ports(1)
    async with bench.services() as processes:
        processes.spawn("vendor", "-m", "tests.benchmarks.vendor", str(port), *vendor)
        processes.environment = {
            **processes.environment,
            "DWELL_CORSIGHT_SOURCES": source,
            "DWELL_CORSIGHT_URL": f"http://127.0.0.1:{port}",
            "DWELL_CORSIGHT_USERNAME": "benchmark",
            "DWELL_CORSIGHT_PASSWORD": "benchmark",
            "DWELL_CORSIGHT_HISTORY_INTERVAL_SECONDS": "3600",
            "DWELL_CORSIGHT_CONNECT_SECONDS": "60",
        }
        ingest = processes.spawn("ingest", "-m", "services.ingest")
        pin(ingest.pid, bench.one)
        async with httpx.AsyncClient(base_url=processes.address("ingest"), timeout=60, trust_env=False) as client:

            async def has_all() -> bool:
                try:
                    metrics = (await client.get("/metrics")).text
                except httpx.TransportError:
                    return False
                return _consumed(metrics, source) >= items

            await wait_until(has_all, SECONDS)
        seconds = time.time() - float(processes.log("vendor").read_text().split()[0])
        return {
            source: items / seconds,
            "cpu": cpu_seconds(ingest.pid) / items * 1e6,
            "memory": peak_bytes(ingest.pid) / 1e6,
        }


def _consumed(metrics: str, source: str) -> float:
    name = f'{CONSUMED._name}_total{{topic="corsight:{source}"}} '
    return sum(float(line.removeprefix(name)) for line in metrics.splitlines() if line.startswith(name))
