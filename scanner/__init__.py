"""Kiểm Phiếu: counts paper forms with tick boxes from their scans."""

import os

__version__ = "0.1.0"

# Each worker process has one core. The small products of a page gain nothing from threads, and
# threads of several processes get in each other's way. NumPy reads this when it is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# And so does Tesseract, which every worker may start.
os.environ.setdefault("OMP_THREAD_LIMIT", "1")
