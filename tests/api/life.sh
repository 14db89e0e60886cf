#!/bin/sh
# Versions warmed up, loaded when they are needed, and unloaded; see life.py.
command -v python3 >/dev/null || { echo "skip life: python3 is not installed"; exit 0; }
exec python3 tests/api/life.py
