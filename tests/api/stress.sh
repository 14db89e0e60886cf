#!/bin/sh
# Stress tests of a real runtime, and of servers that behave badly; see stress.py. timeout: 300
command -v python3 >/dev/null || { echo "skip stress: python3 is not installed"; exit 0; }
exec python3 tests/api/stress.py
