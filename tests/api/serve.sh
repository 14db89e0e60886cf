#!/bin/sh
# The runtime as its clients see it; see serve.py.
command -v python3 >/dev/null || { echo "skip serve: python3 is not installed"; exit 0; }
exec python3 tests/api/serve.py
