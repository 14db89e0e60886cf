#!/bin/sh
# V1, tables, CSV and the description of the API as their clients see them; see protocols.py.
command -v python3 >/dev/null || { echo "skip protocols: python3 is not installed"; exit 0; }
exec python3 tests/api/protocols.py
