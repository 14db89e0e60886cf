#!/bin/sh
# Tests on captured live requests: what is kept, who reads it, what is forgotten; see captured.py. timeout: 120
command -v python3 >/dev/null || { echo "skip captured: python3 is not installed"; exit 0; }
exec python3 tests/api/captured.py
