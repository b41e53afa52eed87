/* As much of libcuda.so.1 as cuda_load.py calls: it does nothing, and takes a little time to fill memory. */
#include <unistd.h>
int cuInit(unsigned f) { (void)f; return 0; }
int cuDeviceGet(int *d, int n) { *d = n; return 0; }
int cuCtxCreate_v2(void **c, unsigned f, int d) { (void)f; (void)d; *c = 0; return 0; }
int cuMemAlloc_v2(unsigned long long *p, unsigned long n) { *p = n; return n ? 0 : 1; }
int cuMemsetD32_v2(unsigned long long p, unsigned v, unsigned long n) { (void)p; (void)v; (void)n; usleep(200); return 0; }
int cuCtxSynchronize(void) { return 0; }
int cuMemFree_v2(unsigned long long p) { (void)p; return 0; }
int cuCtxDestroy_v2(void *c) { (void)c; return 0; }
