#!/bin/sh
# Routes that change under full load: not one request fails or goes astray; see routes.py.
command -v python3 >/dev/null || { echo "skip routes: python3 is not installed"; exit 0; }
exec python3 tests/api/routes.py
