"""The command line as a process: what holds before any command runs."""

import json
import os
import subprocess
import sys

PROGRAM = """
import json, os, sys
import infra.cli.main
told = os.environ.get("ORT_DISABLE_TELEMETRY")
print(json.dumps({"telemetry off": told, "loaded": "onnxruntime" in sys.modules}))
"""


def test_telemetry_is_off_before_onnx_runtime_can_be_loaded() -> None:
    bare = {name: one for name, one in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=bare, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {"telemetry off": "1", "loaded": False}
