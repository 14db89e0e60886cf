#!/bin/sh
# Shadow traffic: copies, comparisons, bounds; see shadows.py.
# timeout: 300
command -v python3 >/dev/null || { echo "skip shadows: python3 is not installed"; exit 0; }
exec python3 tests/api/shadows.py
