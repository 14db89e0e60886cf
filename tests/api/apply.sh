#!/bin/sh
# The state of models in a file; see apply.py. timeout: 240
command -v python3 >/dev/null || { echo "skip apply: python3 is not installed"; exit 0; }
exec python3 tests/api/apply.py
