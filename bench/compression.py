"""What compressing an answer costs and leaves, by library and level: zlib as the peer, libdeflate and zstd as the API
has them. The libraries are called from here through ctypes, with whole bodies."""

import ctypes
import time
import zlib

ROUNDS = 7
GZIP_WINDOW = 31  # zlib's way to say: the largest window, in a gzip envelope


class Libdeflate:
    def __init__(self):
        self._library = ctypes.CDLL("libdeflate.so.0")
        self._library.libdeflate_alloc_compressor.restype = ctypes.c_void_p
        self._library.libdeflate_gzip_compress.restype = ctypes.c_size_t
        self._library.libdeflate_gzip_compress.argtypes = [
            ctypes.c_void_p,
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_void_p,
            ctypes.c_size_t,
        ]
        self._library.libdeflate_free_compressor.argtypes = [ctypes.c_void_p]

    def compress(self, body, level):
        out = ctypes.create_string_buffer(len(body) + 1024)
        compressor = self._library.libdeflate_alloc_compressor(level)
        length = self._library.libdeflate_gzip_compress(compressor, body, len(body), out, len(out))
        self._library.libdeflate_free_compressor(compressor)
        return out[:length]


class Zstd:
    def __init__(self):
        self._library = ctypes.CDLL("libzstd.so.1")
        self._library.ZSTD_compress.restype = ctypes.c_size_t
        self._library.ZSTD_compress.argtypes = [
            ctypes.c_void_p,
            ctypes.c_size_t,
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_int,
        ]

    def compress(self, body, level):
        out = ctypes.create_string_buffer(len(body) + 1024)
        return out[: self._library.ZSTD_compress(out, len(out), body, len(body), level)]


class Zlib:
    def compress(self, body, level):
        compressor = zlib.compressobj(level, zlib.DEFLATED, GZIP_WINDOW)
        return compressor.compress(body) + compressor.flush()


CANDIDATES = (("zlib", Zlib, (1, 6)), ("libdeflate", Libdeflate, (1, 6, 9)), ("zstd", Zstd, (1, 3, 6)))


def measure(bodies):
    """[{"what", "bytes", "rows": [{"library", "level", "bytes", "ms": [...]}]}] of {what: body}; levels in turn."""
    candidates = [(name, library(), level) for name, library, levels in CANDIDATES for level in levels]
    found = []
    for what, body in bodies.items():
        rows = [
            {"library": name, "level": level, "bytes": len(library.compress(body, level)), "ms": []}
            for name, library, level in candidates
        ]
        for _ in range(ROUNDS):
            for row, (_, library, level) in zip(rows, candidates):
                began = time.perf_counter()
                library.compress(body, level)
                row["ms"].append(round((time.perf_counter() - began) * 1000, 3))
        found.append({"what": what, "bytes": len(body), "rows": rows})
    return found
