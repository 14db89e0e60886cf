#!/bin/sh
# Rollouts under real traffic; see rollouts.py. timeout: 300
command -v python3 >/dev/null || { echo "skip rollouts: python3 is not installed"; exit 0; }
exec python3 tests/api/rollouts.py
