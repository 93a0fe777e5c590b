import os

__version__ = "0.1.0"

# Importing ONNX Runtime, from 1.32 on, writes a note of the session for its makers. It reads this only while it is imported,
# which no module here does before this line.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
