#!/bin/sh
# A version that is a model on another server; see remote.py.
# timeout: 300
command -v python3 >/dev/null || { echo "skip remote: python3 is not installed"; exit 0; }
exec python3 tests/api/remote.py
