"""Fills a peer's queue: `python -m benchmarks.peers.enqueue PEER TEXTS [DUE_AT]`.

A program of its own, so that a peer's tasks are named after its module and not after `__main__`.
"""

import importlib
import sys

if __name__ == "__main__":
    peer = importlib.import_module(f"benchmarks.peers.{sys.argv[1]}")
    peer.enqueue(int(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else None)
