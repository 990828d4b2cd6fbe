"""Measures the prediction server on this machine: python -m bench.serve MODEL_DIR [SECONDS]

Prints requests a second, and the latency's median and 99th percentile, at 1, 8 and 64 connections,
each request with one text, with batching and (max_batch 1) without. The load generator shares the
processors with the server.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import List
from urllib.parse import urlsplit

import uvloop

from esteira.serving.running import running_server

CONNECTIONS = (1, 8, 64)
WARM_UP_S = 0.5
NAME = "bench"
BODY = json.dumps({"instances": [{"text": "This film was a pleasant surprise, from the first scene to the last."}]})


def request_bytes(host: str) -> bytes:
    head = f"POST /v1/models/{NAME}:predict HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(BODY)}\r\n\r\n"
    return (head + BODY).encode("ascii")


async def ask_until(host: str, port: int, end_s: float, latencies_s: List[float]) -> None:
    """Ask again and again over one connection."""
    reader, writer = await asyncio.open_connection(host, port)
    request = request_bytes(f"{host}:{port}")
    while time.perf_counter() < end_s:
        begin_s = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"the server answered {head!r}")
        await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
        latencies_s.append(time.perf_counter() - begin_s)
    writer.close()


async def load(url: str, connections: int, seconds: float) -> List[float]:
    parts = urlsplit(url)
    assert parts.hostname and parts.port
    latencies_s: List[float] = []
    end_s = time.perf_counter() + seconds
    await asyncio.gather(*(ask_until(parts.hostname, parts.port, end_s, latencies_s) for _ in range(connections)))
    return sorted(latencies_s)


def measure(model_dir: Path, max_batch: int, seconds: float) -> None:
    with running_server(model_dir, name=NAME, max_batch=max_batch) as url:
        asyncio.run(load(url, 8, WARM_UP_S))
        for connections in CONNECTIONS:
            latencies_s = asyncio.run(load(url, connections, seconds))
            p50_ms, p99_ms = (1000 * latencies_s[int(len(latencies_s) * part)] for part in (0.5, 0.99))
            rate = len(latencies_s) / seconds
            print(f"{max_batch:9} {connections:11} {rate:10.0f} {p50_ms:8.2f} {p99_ms:8.2f}", flush=True)


def main() -> None:
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 2.0
    uvloop.install()
    print("max_batch connections requests/s   p50 ms   p99 ms")
    for max_batch in (64, 1):
        measure(Path(sys.argv[1]), max_batch, seconds)


if __name__ == "__main__":
    main()
