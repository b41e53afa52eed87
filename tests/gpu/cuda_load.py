"""Works a GPU through the CUDA driver alone: `python -m tests.gpu.cuda_load GIB` allocates, then fills memory for ever.

`allocated` is printed when it has the memory and `working` when it works; one line of input (or its end) ends it.
"""

from __future__ import annotations

import ctypes
import sys
import threading

GIB = 2**30


class Cuda:
    """The driver's library; every call that fails is an error with its number."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libcuda.so.1")

    def call(self, function: str, *arguments: object) -> None:
        code = getattr(self._library, function)(*arguments)
        if code:
            raise SystemExit(f"{function} failed with CUDA's error {code}")


def main(gib: float) -> None:
    cuda, device, context, memory = Cuda(), ctypes.c_int(), ctypes.c_void_p(), ctypes.c_uint64()
    size = int(gib * GIB)
    cuda.call("cuInit", 0)
    cuda.call("cuDeviceGet", ctypes.byref(device), 0)
    cuda.call("cuCtxCreate_v2", ctypes.byref(context), 0, device)
    cuda.call("cuMemAlloc_v2", ctypes.byref(memory), ctypes.c_size_t(size))
    print("allocated", flush=True)
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), ended.set()), daemon=True).start()
    print("working", flush=True)
    while not ended.is_set():
        for value in range(20):
            cuda.call("cuMemsetD32_v2", memory, ctypes.c_uint(value), ctypes.c_size_t(size // 4))
        cuda.call("cuCtxSynchronize")
    cuda.call("cuMemFree_v2", memory)
    cuda.call("cuCtxDestroy_v2", context)


if __name__ == "__main__":
    main(float(sys.argv[1]))
