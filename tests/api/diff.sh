#!/bin/sh
# Differential tests: `mldeck diff`, its job and its gate; see diff.py. timeout: 300
command -v python3 >/dev/null || { echo "skip diff: python3 is not installed"; exit 0; }
exec python3 tests/api/diff.py
