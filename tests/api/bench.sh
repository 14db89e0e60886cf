#!/bin/sh
# Benchmarks and training runs against a real runtime; see bench.py. timeout: 300
command -v python3 >/dev/null || { echo "skip bench: python3 is not installed"; exit 0; }
exec python3 tests/api/bench.py
