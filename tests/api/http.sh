#!/bin/sh
# The HTTP layer under hostile, slow, compressed and foreign requests; see http_layer.py.
command -v python3 >/dev/null || { echo "skip http: python3 is not installed"; exit 0; }
exec python3 tests/api/http_layer.py
