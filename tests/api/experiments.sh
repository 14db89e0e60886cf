#!/bin/sh
# A/B tests on live traffic: arms, outcomes, verdicts, ends, restarts; see experiments.py. timeout: 120
command -v python3 >/dev/null || { echo "skip experiments: python3 is not installed"; exit 0; }
exec python3 tests/api/experiments.py
