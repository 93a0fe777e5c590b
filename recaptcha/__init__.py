"""Answers reCAPTCHA's picture challenges: `recaptcha.answer(picture, target)` is an `Answer`."""
import importlib
import os

__version__ = "0.1.0"

# Importing ONNX Runtime, from 1.32 on, writes a note of the session for its makers. It reads this only while it is imported,
# which no module here does before this line.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# What the package shows, and the module that has it, which is imported when it is asked for: a command that is given a
# wrong option need not wait for ONNX Runtime.
SHOWN = {"answer": "answers", "Answer": "answers", "Grid": "grid", "Network": "network"}
__all__ = list(SHOWN)


def __getattr__(name):
    if name not in SHOWN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{SHOWN[name]}"), name)


def __dir__():
    return sorted([*globals(), *SHOWN])
