#!/bin/sh
# Jobs of a real runtime; see jobs.py. timeout: 300
command -v python3 >/dev/null || { echo "skip jobs: python3 is not installed"; exit 0; }
exec python3 tests/api/jobs.py
