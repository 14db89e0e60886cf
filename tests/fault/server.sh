#!/bin/sh
# The real runtime, killed at every point and at random times between and during changes; see server.py.
# timeout: 180
command -v python3 > /dev/null || { echo "skip server: python3 is not installed"; exit 0; }
[ -x build/fault/mldeck ] || { echo "skip server: make fault builds what it needs"; exit 0; }
MLDECK=$PWD/build/fault/mldeck PYTHONPATH=$PWD/tests/api exec python3 tests/fault/server.py
