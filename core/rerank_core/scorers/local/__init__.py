"""Models on this machine: cross-encoders by sentence-transformers or by onnxruntime alone."""
