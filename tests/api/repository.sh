#!/bin/sh
# The model-repository extension; see repository.py.
command -v python3 >/dev/null || { echo "skip repository: python3 is not installed"; exit 0; }
exec python3 tests/api/repository.py
