"""Which registered pages a scan may be: found without comparing it with every one of them.

Descriptors are hashed by fixed samples of their bits (locality-sensitive hashing, Indyk and
Motwani, 1998); a page of a scan votes for the pages whose descriptors fall into the same
buckets. The work per page hardly grows with the number of forms.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scanner.reading.features import Features

_TABLES = 8
_BITS = 16
_MAX_BUCKET = 64
"""A bucket with more entries than this holds what every page has, and tells nothing."""


class CatalogIndex:
    """A voting index over the features of many pages.

    Args:
        pages: The features of each page; votes come back in this order.
    """

    def __init__(self, pages: Sequence[Features]) -> None:
        self._count = len(pages)
        bits = np.random.default_rng(20231027)
        # A column for each table: 2^k at the k-th bit it samples, so that a product makes keys.
        self._samples = np.zeros((256, _TABLES), np.float32)
        for table in range(_TABLES):
            self._samples[bits.permutation(256)[:_BITS], table] = 2.0 ** np.arange(_BITS)
        descriptors = [np.empty((0, 32), np.uint8), *(page.descriptors for page in pages)]
        owner = np.repeat(
            np.arange(self._count, dtype=np.int32), [len(page.descriptors) for page in pages]
        )
        unpacked = np.unpackbits(np.concatenate(descriptors), axis=1)
        self._tables: list[tuple[NDArray[np.uint16], NDArray[np.int32]]] = []
        for keys in _keys(unpacked, self._samples):
            order = np.argsort(keys, kind="stable")
            self._tables.append((keys[order], owner[order]))

    def rank(self, features: Features, limit: int) -> list[int]:
        """The numbers of the pages most alike, best first, at most ``limit`` of them."""
        votes = np.zeros(self._count)
        unpacked = np.unpackbits(features.descriptors, axis=1)
        for wanted, (keys, owner) in zip(_keys(unpacked, self._samples), self._tables, strict=True):
            first = np.searchsorted(keys, wanted, side="left")
            size = np.searchsorted(keys, wanted, side="right") - first
            useful = (size > 0) & (size <= _MAX_BUCKET * max(1, self._count // 8))
            first, size = first[useful], size[useful]
            entries = np.repeat(first - np.concatenate([[0], np.cumsum(size)[:-1]]), size)
            entries += np.arange(size.sum())
            # A match in a crowded bucket says less.
            votes += np.bincount(
                owner[entries], weights=np.repeat(1.0 / size, size), minlength=self._count
            )
        order = np.argsort(-votes, kind="stable")[:limit]
        return [int(number) for number in order if votes[number] > 0]


def _keys(unpacked: NDArray[np.uint8], samples: NDArray[np.float32]) -> NDArray[np.uint16]:
    """The sampled bits of each descriptor as one number; shape (tables, n)."""
    return (unpacked.astype(np.float32) @ samples).T.astype(np.uint16)
