#!/bin/sh
# `mldeck check`: which tests it runs, its verdict, exit codes, JUnit's XML, and being stopped; see check.py. timeout: 300
command -v python3 >/dev/null || { echo "skip check: python3 is not installed"; exit 0; }
exec python3 tests/api/check.py
