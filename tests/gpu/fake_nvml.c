/* A driver for tests: the entry points of libnvidia-ml.so.1 that the Python binding calls, written anew.
   Its state comes from a text file named by FAKE_NVML_STATE (read again when it changes), or is changed in process
   with fake_nvml_set(). */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OK=0, UNINIT=1, INVAL=2, NOTSUP=3, NOPERM=4, NOTFOUND=6, SMALL=7, NODRV=9, LOST=15, VERMISM=25 };
#define API __attribute__((visibility("default"))) int
#define MAXKV 512
typedef struct { char k[96]; char v[128]; } kv;
static kv tab[MAXKV]; static int ntab; static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static int refs; static struct timespec seen_m; static ino_t seen_i; static off_t seen_s = -1;
typedef struct { char fn[64]; unsigned long n; } cnt; static cnt calls[128]; static int ncalls;
struct dev { int gpu, mig; };
static struct dev devs[16], migs[16][8];

static void put(const char *k, const char *v) {
  for (int i = 0; i < ntab; i++) if (!strcmp(tab[i].k, k)) { snprintf(tab[i].v, 128, "%s", v); return; }
  if (ntab < MAXKV) { snprintf(tab[ntab].k, 96, "%s", k); snprintf(tab[ntab].v, 128, "%s", v); ntab++; }
}
static void load(void) {
  const char *p = getenv("FAKE_NVML_STATE"); struct stat st;
  if (!p || stat(p, &st)) return;
  if (st.st_mtim.tv_sec == seen_m.tv_sec && st.st_mtim.tv_nsec == seen_m.tv_nsec && st.st_ino == seen_i && st.st_size == seen_s) return;
  FILE *f = fopen(p, "r"); if (!f) return;
  char l[300]; ntab = 0;
  while (fgets(l, sizeof l, f)) {
    char *e = strchr(l, '='); if (!e || *l == '#') continue; *e++ = 0; e[strcspn(e, "\r\n")] = 0; put(l, e);
  }
  fclose(f); seen_m = st.st_mtim; seen_i = st.st_ino; seen_s = st.st_size;
}
static const char *find(const char *k) { for (int i = 0; i < ntab; i++) if (!strcmp(tab[i].k, k)) return tab[i].v; return 0; }
/* lookup order: gpuN.migM.key, gpuN.key, key */
static const char *get(const struct dev *d, const char *key, const char *dflt) {
  char b[96]; const char *v;
  if (d) {
    if (d->mig >= 0) { snprintf(b, 96, "gpu%d.mig%d.%s", d->gpu, d->mig, key); if ((v = find(b))) return v; }
    snprintf(b, 96, "gpu%d.%s", d->gpu, key); if ((v = find(b))) return v;
  }
  return (v = find(key)) ? v : dflt;
}
static unsigned long long num(const struct dev *d, const char *key, unsigned long long dflt) {
  const char *v = get(d, key, 0); return v ? strtoull(v, 0, 0) : dflt;
}
static int enter(const char *fn, const struct dev *d) {
  pthread_mutex_lock(&mu); load();
  int i; for (i = 0; i < ncalls && strcmp(calls[i].fn, fn); i++);
  if (i == ncalls && ncalls < 128) { snprintf(calls[i].fn, 64, "%s", fn); ncalls++; }
  if (i < 128) calls[i].n++;
  char k[96]; const char *v;
  snprintf(k, 96, "delay_us.%s", fn); if ((v = get(d, k, 0)) || (v = get(d, "delay_us", 0))) usleep(atoi(v));
  snprintf(k, 96, "fail.%s", fn); if ((v = get(d, k, 0)) || (d && (v = get(d, "fail", 0)))) { int c = atoi(v); if (c) { pthread_mutex_unlock(&mu); return c; } }
  if (!refs && strncmp(fn, "nvmlInit", 8) && strcmp(fn, "nvmlErrorString") && strcmp(fn, "nvmlSystemGetNVMLVersion")) { pthread_mutex_unlock(&mu); return UNINIT; }
  return OK;
}
static int leave(int r) { pthread_mutex_unlock(&mu); return r; }
#define ENTER(d) int r_ = enter(__func__, d); if (r_) return r_
static int outs(char *b, unsigned n, const char *s) { if (strlen(s) + 1 > n) return SMALL; strcpy(b, s); return OK; }

/* ---- test control ---- */
__attribute__((visibility("default"))) void fake_nvml_set(const char *k, const char *v) { pthread_mutex_lock(&mu); put(k, v); pthread_mutex_unlock(&mu); }
__attribute__((visibility("default"))) void fake_nvml_reset(void) { pthread_mutex_lock(&mu); ntab = ncalls = 0; seen_s = -1; pthread_mutex_unlock(&mu); }
__attribute__((visibility("default"))) unsigned long fake_nvml_calls(const char *fn) { unsigned long n = 0; pthread_mutex_lock(&mu); for (int i = 0; i < ncalls; i++) if (!*fn || !strcmp(calls[i].fn, fn)) n += calls[i].n; pthread_mutex_unlock(&mu); return n; }
__attribute__((visibility("default"))) int fake_nvml_refs(void) { return refs; }

/* ---- init ---- */
API nvmlInitWithFlags(unsigned f) { (void)f; ENTER(0); refs++;
  for (int i = 0; i < 16; i++) { devs[i] = (struct dev){i, -1}; for (int j = 0; j < 8; j++) migs[i][j] = (struct dev){i, j}; } return leave(OK); }
API nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
API nvmlShutdown(void) { ENTER(0); refs--; return leave(OK); }
__attribute__((visibility("default"))) const char *nvmlErrorString(int r) { static char b[32]; snprintf(b, 32, "fake error %d", r); return b; }
API nvmlSystemGetDriverVersion(char *b, unsigned n) { ENTER(0); return leave(outs(b, n, get(0, "driver", "615.71.09"))); }
API nvmlSystemGetNVMLVersion(char *b, unsigned n) { ENTER(0); return leave(outs(b, n, get(0, "nvml", "13.615.71.09"))); }
API nvmlSystemGetCudaDriverVersion_v2(int *v) { ENTER(0); *v = num(0, "cuda", 13050); return leave(OK); }
API nvmlDeviceGetCount_v2(unsigned *n) { ENTER(0); *n = num(0, "gpus", 1); return leave(OK); }
API nvmlDeviceGetHandleByIndex_v2(unsigned i, struct dev **d) { int r_ = enter(__func__, i < 16 ? &devs[i] : 0); if (r_) return r_; if (i >= num(0, "gpus", 1)) return leave(INVAL); *d = &devs[i]; return leave(OK); }

/* ---- identity ---- */
API nvmlDeviceGetIndex(struct dev *d, unsigned *i) { ENTER(d); *i = d->gpu; return leave(OK); }
API nvmlDeviceGetUUID(struct dev *d, char *b, unsigned n) { ENTER(d); char u[96];
  if (d->mig < 0) snprintf(u, 96, "GPU-00000000-0000-4000-8000-%012d", d->gpu); else snprintf(u, 96, "MIG-00000000-0000-4000-8%03d-%012d", d->mig, d->gpu);
  return leave(outs(b, n, get(d, "uuid", u))); }
API nvmlDeviceGetName(struct dev *d, char *b, unsigned n) { ENTER(d); return leave(outs(b, n, get(d, "name", "NVIDIA H200"))); }
API nvmlDeviceGetSerial(struct dev *d, char *b, unsigned n) { ENTER(d); const char *s = get(d, "serial", 0); return leave(s ? outs(b, n, s) : NOTSUP); }
typedef struct { char legacy[16]; unsigned dom, bus, dev, id, sub; char bus_id[32]; } pci;
API nvmlDeviceGetPciInfo_v3(struct dev *d, pci *p) { ENTER(d); memset(p, 0, sizeof *p); p->bus = 1 + d->gpu; p->id = 0x233510de; snprintf(p->legacy, 16, "0000:%02X:00.0", p->bus); snprintf(p->bus_id, 32, "00000000:%02X:00.0", p->bus); return leave(OK); }
API nvmlDeviceGetArchitecture(struct dev *d, unsigned *a) { ENTER(d); *a = num(d, "arch", 9); return leave(OK); }
API nvmlDeviceGetCudaComputeCapability(struct dev *d, int *a, int *b) { ENTER(d); *a = num(d, "cc_major", 9); *b = num(d, "cc_minor", 0); return leave(OK); }

/* ---- readings: 'key=' absent with no default -> NOT_SUPPORTED ---- */
#define U32(FN, KEY) API FN(struct dev *d, unsigned *o) { ENTER(d); const char *v = get(d, KEY, 0); if (!v) return leave(NOTSUP); *o = strtoul(v, 0, 0); return leave(OK); }
#define U64(FN, KEY) API FN(struct dev *d, unsigned long long *o) { ENTER(d); const char *v = get(d, KEY, 0); if (!v) return leave(NOTSUP); *o = strtoull(v, 0, 0); return leave(OK); }
#define U32PERIOD(FN, KEY) API FN(struct dev *d, unsigned *o, unsigned *p) { ENTER(d); const char *v = get(d, KEY, 0); if (!v) return leave(NOTSUP); *o = strtoul(v, 0, 0); *p = 167000; return leave(OK); }
#define U32IDX(FN, KEY) API FN(struct dev *d, unsigned i, unsigned *o) { ENTER(d); char k[64]; snprintf(k, 64, KEY "%u", i); const char *v = get(d, k, 0); if (!v) return leave(NOTSUP); *o = strtoul(v, 0, 0); return leave(OK); }
API nvmlDeviceGetUtilizationRates(struct dev *d, unsigned o[2]) { ENTER(d); if (d->mig >= 0 || !get(d, "util", 0)) return leave(NOTSUP); o[0] = num(d, "util", 0); o[1] = num(d, "memutil", 0); return leave(OK); }
API nvmlDeviceGetMemoryInfo(struct dev *d, unsigned long long o[3]) { ENTER(d); if (!get(d, "mem_total", 0)) return leave(NOTSUP); unsigned long long t = num(d, "mem_total", 0), u = num(d, "mem_used", 0), rs = num(d, "mem_reserved", 0); o[0] = t; o[1] = t - u - rs; o[2] = u + rs; return leave(OK); }
typedef struct { unsigned ver; unsigned long long t, r, f, u; } mem2;
API nvmlDeviceGetMemoryInfo_v2(struct dev *d, mem2 *m) { ENTER(d); if (m->ver != 0x02000028) return leave(VERMISM); if (!get(d, "mem_total", 0)) return leave(NOTSUP); m->t = num(d, "mem_total", 0); m->r = num(d, "mem_reserved", 0); m->u = num(d, "mem_used", 0); m->f = m->t - m->r - m->u; return leave(OK); }
U32(nvmlDeviceGetPowerUsage, "power_mw") U32(nvmlDeviceGetEnforcedPowerLimit, "power_limit_mw") U64(nvmlDeviceGetTotalEnergyConsumption, "energy_mj")
U32IDX(nvmlDeviceGetTemperature, "temp") U32IDX(nvmlDeviceGetTemperatureThreshold, "temp_threshold") U32IDX(nvmlDeviceGetClockInfo, "clock") U32IDX(nvmlDeviceGetMaxClockInfo, "max_clock")
typedef struct { unsigned ver, sensor; int t; } tempv;
API nvmlDeviceGetTemperatureV(struct dev *d, tempv *t) { ENTER(d); char k[16]; snprintf(k, 16, "temp%u", t->sensor); const char *v = get(d, k, 0); if (t->ver != 0x100000C) return leave(VERMISM); if (!v) return leave(NOTSUP); t->t = atoi(v); return leave(OK); }
U64(nvmlDeviceGetCurrentClocksEventReasons, "clock_reasons") U64(nvmlDeviceGetCurrentClocksThrottleReasons, "clock_reasons") U32(nvmlDeviceGetPerformanceState, "pstate")
U32PERIOD(nvmlDeviceGetEncoderUtilization, "enc") U32PERIOD(nvmlDeviceGetDecoderUtilization, "dec") U32PERIOD(nvmlDeviceGetJpgUtilization, "jpg") U32PERIOD(nvmlDeviceGetOfaUtilization, "ofa")
U32(nvmlDeviceGetFanSpeed, "fan_percent") U32(nvmlDeviceGetNumFans, "fans") U32IDX(nvmlDeviceGetFanSpeed_v2, "fan") U32(nvmlDeviceGetPcieReplayCounter, "pcie_replay") U32IDX(nvmlDeviceGetPcieThroughput, "pcie_kbps")
API nvmlDeviceGetTotalEccErrors(struct dev *d, unsigned t, unsigned c, unsigned long long *o) { ENTER(d); char k[32]; snprintf(k, 32, "ecc_%s_%s", c ? "agg" : "vol", t ? "unc" : "cor"); const char *v = get(d, k, 0); if (!v) return leave(NOTSUP); *o = strtoull(v, 0, 0); return leave(OK); }
API nvmlDeviceGetRemappedRows(struct dev *d, unsigned *a, unsigned *b, unsigned *p, unsigned *f) { ENTER(d); if (!get(d, "remap_unc", 0)) return leave(NOTSUP); *a = num(d, "remap_cor", 0); *b = num(d, "remap_unc", 0); *p = num(d, "remap_pending", 0); *f = num(d, "remap_failure", 0); return leave(OK); }
typedef struct { uint32_t id, scope; int64_t ts, lat; unsigned vt; int ret; union { double d; unsigned long long u; } v; } fv;
API nvmlDeviceGetFieldValues(struct dev *d, int n, fv *f) { ENTER(d); struct timespec t; clock_gettime(CLOCK_REALTIME, &t);
  for (int i = 0; i < n; i++) { char k[32]; snprintf(k, 32, "field%u", f[i].id); const char *v = get(d, k, 0); f[i].ts = t.tv_sec * 1000000LL + t.tv_nsec / 1000; f[i].lat = 1; f[i].vt = 3; f[i].ret = v ? OK : NOTSUP; f[i].v.u = v ? strtoull(v, 0, 0) : 0; } return leave(OK); }
typedef struct { unsigned pid; unsigned long long mem; unsigned gi, ci; } proc;
API nvmlDeviceGetComputeRunningProcesses_v3(struct dev *d, unsigned *n, proc *p) { ENTER(d); unsigned have = num(d, "procs", 0), cap = *n; *n = have; if (!have) return leave(OK); if (cap < have || !p) return leave(SMALL);
  for (unsigned i = 0; i < have; i++) { char k[32]; snprintf(k, 32, "proc%u.pid", i); p[i].pid = num(d, k, getpid()); snprintf(k, 32, "proc%u.mem", i); p[i].mem = num(d, k, ~0ULL); p[i].gi = p[i].ci = ~0u; } return leave(OK); }
typedef struct { unsigned pid; unsigned long long ts; unsigned sm, mem, enc, dec; } putil;
API nvmlDeviceGetProcessUtilization(struct dev *d, putil *p, unsigned *n, unsigned long long since) { (void)since; ENTER(d); unsigned have = num(d, "procs", 0); if (!have) return leave(NOTFOUND); if (!p) { *n = have; return leave(SMALL); }
  for (unsigned i = 0; i < have; i++) { char k[32]; snprintf(k, 32, "proc%u.pid", i); p[i].pid = num(d, k, getpid()); p[i].ts = time(0) * 1000000ULL; snprintf(k, 32, "proc%u.sm", i); p[i].sm = num(d, k, 0); p[i].mem = p[i].enc = p[i].dec = 0; } *n = have; return leave(OK); }
/* ---- MIG ---- */
API nvmlDeviceGetMigMode(struct dev *d, unsigned *c, unsigned *p) { ENTER(d); if (!get(d, "mig", 0)) return leave(NOTSUP); *c = *p = num(d, "mig", 0) > 0; return leave(OK); }
API nvmlDeviceGetMaxMigDeviceCount(struct dev *d, unsigned *n) { ENTER(d); *n = get(d, "mig", 0) ? 7 : 0; return leave(OK); }
API nvmlDeviceGetMigDeviceHandleByIndex(struct dev *d, unsigned i, struct dev **m) { ENTER(d); if (i >= num(d, "mig", 0)) return leave(NOTFOUND); *m = &migs[d->gpu][i]; return leave(OK); }
API nvmlDeviceGetGpuInstanceId(struct dev *d, unsigned *i) { ENTER(d); if (d->mig < 0) return leave(INVAL); *i = d->mig + 1; return leave(OK); }
API nvmlDeviceGetComputeInstanceId(struct dev *d, unsigned *i) { ENTER(d); if (d->mig < 0) return leave(INVAL); *i = 0; return leave(OK); }
API nvmlDeviceIsMigDeviceHandle(struct dev *d, unsigned *i) { ENTER(d); *i = d->mig >= 0; return leave(OK); }
/* ---- GPM (Hopper+) ---- */
struct sample { struct timespec t; const struct dev *of; };
typedef struct { unsigned id; int ret; double value; char *s, *l, *u; } gm;
typedef struct { unsigned ver, n; struct sample *a, *b; gm m[]; } gmg;
API nvmlGpmQueryDeviceSupport(struct dev *d, unsigned *s) { ENTER(d); s[1] = num(d, "gpm", 0); return leave(OK); }
API nvmlGpmSampleAlloc(struct sample **s) { ENTER(0); *s = calloc(1, sizeof **s); return leave(OK); }
API nvmlGpmSampleFree(struct sample *s) { ENTER(0); free(s); return leave(OK); }
API nvmlGpmSampleGet(struct dev *d, struct sample *s) { ENTER(d); if (!num(d, "gpm", 0)) return leave(NOTSUP); clock_gettime(CLOCK_MONOTONIC, &s->t); s->of = d; return leave(OK); }
API nvmlGpmMigSampleGet(struct dev *d, unsigned instance, struct sample *s) { ENTER(d); const struct dev *m = instance - 1 < num(d, "mig", 0) ? &migs[d->gpu][instance - 1] : 0; if (!m) return leave(NOTFOUND); if (!num(m, "gpm", 0)) return leave(NOTSUP); clock_gettime(CLOCK_MONOTONIC, &s->t); s->of = m; return leave(OK); }
API nvmlGpmMetricsGet(gmg *g) { ENTER(0); if (!g->a || !g->b || !g->a->of || g->a->of != g->b->of) return leave(INVAL);
  for (unsigned i = 0; i < g->n; i++) { char k[32]; snprintf(k, 32, "gpm%u", g->m[i].id); const char *v = get(g->a->of, k, 0); g->m[i].ret = v ? OK : NOTSUP; g->m[i].value = v ? atof(v) : 0; g->m[i].s = g->m[i].l = g->m[i].u = "fake"; } return leave(OK); }
