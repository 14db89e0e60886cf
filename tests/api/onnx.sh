#!/bin/sh
# ONNX models as operators deploy them and clients ask them; see onnx.py.
# timeout: 300
command -v python3 >/dev/null || { echo "skip onnx: python3 is not installed"; exit 0; }
exec python3 tests/api/onnx.py
