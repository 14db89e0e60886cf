#!/bin/sh
# What a monitor reads of a runtime, and the dashboard on it; see metrics.py.
# timeout: 240
command -v python3 >/dev/null || { echo "skip metrics: python3 is not installed"; exit 0; }
exec python3 tests/api/metrics.py
