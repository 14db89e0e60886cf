#!/bin/sh
# timeout: 400
# Batch prediction as an operator sees it; see predict.py.
command -v python3 >/dev/null || { echo "skip predict: python3 is not installed"; exit 0; }
exec python3 tests/api/predict.py
