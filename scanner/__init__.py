"""Kiểm Phiếu: counts paper forms with tick boxes from their scans."""

__version__ = "0.1.0"
