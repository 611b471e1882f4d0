/*
 * A disk that fails when it is told to: loaded before the C library (LD_PRELOAD), it stands between a process and the
 * files below one folder. SQLite and libuv make their system calls through these functions.
 *
 * Invariants: files outside the folder are never touched; without an order every call goes through unchanged; each call
 * is counted under exactly one operation. Orders come through a small file that both sides have mapped (fault-switch.ts
 * knows the same layout), so that they can change while the process runs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum operation { OPEN, WRITE, SYNC, RENAME, ENTRY, OPERATIONS };

/* Little-endian 32-bit words, in this order. */
struct orders {
  uint32_t magic;
  uint32_t armed;
  uint32_t operations; /* bit n: operation n */
  int32_t remaining;   /* fails when it gets to 0 */
  uint32_t error;      /* errno to fail with */
  uint32_t sticky;     /* goes on failing */
  uint32_t hits;       /* calls that failed */
  uint32_t seen[OPERATIONS];
};

static const uint32_t orders_magic = 0x44464c54;
static struct orders *orders;
static char folder[PATH_MAX];
static size_t folder_length;

#define REAL(name) \
  static __typeof__(name) *real; \
  if (real == NULL) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void take_orders(void) {
  const char *root = getenv("DMS_CONNECT_FAULTS_FOLDER");
  const char *file = getenv("DMS_CONNECT_FAULTS_ORDERS");
  if (root == NULL || file == NULL) return;
  int descriptor = open(file, O_RDWR | O_CLOEXEC);
  void *mapped = descriptor < 0 ? MAP_FAILED : mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (mapped == MAP_FAILED || realpath(root, folder) == NULL || ((struct orders *)mapped)->magic != orders_magic) {
    /* A layer that is not there must not look like a disk without faults. */
    fputs("disk-faults: the orders or the folder cannot be used\n", stderr);
    abort();
  }
  close(descriptor);
  folder_length = strlen(folder);
  orders = mapped;
}

static int is_watched_path(const char *path) {
  if (orders == NULL || path == NULL || strncmp(path, folder, folder_length) != 0) return 0;
  return path[folder_length] == '/' || path[folder_length] == '\0';
}

/* Asked anew each time: libuv closes descriptors by a raw system call, so a table of them would go stale. */
static int is_watched_descriptor(int descriptor) {
  char link[64], path[PATH_MAX];
  if (orders == NULL || descriptor < 0) return 0;
  int saved = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  errno = saved;
  if (length < 0) return 0;
  path[length] = '\0';
  return is_watched_path(path);
}

static int is_watched_at(int directory, const char *path) {
  if (path == NULL) return 0;
  return path[0] == '/' || directory == AT_FDCWD ? is_watched_path(path) : is_watched_descriptor(directory);
}

/* Counts a call on a watched file; sets errno and gives 1 when it has to fail. */
static int fails(enum operation operation) {
  __atomic_add_fetch(&orders->seen[operation], 1, __ATOMIC_SEQ_CST);
  if (!__atomic_load_n(&orders->armed, __ATOMIC_SEQ_CST) || !(orders->operations & (1u << operation))) return 0;
  int32_t remaining = __atomic_sub_fetch(&orders->remaining, 1, __ATOMIC_SEQ_CST);
  if (remaining > 0 || (remaining < 0 && !orders->sticky)) return 0;
  __atomic_add_fetch(&orders->hits, 1, __ATOMIC_SEQ_CST);
  errno = (int)orders->error;
  return 1;
}

#define FAIL_PATH(operation, path) if (is_watched_path(path) && fails(operation)) return -1
#define FAIL_DESCRIPTOR(operation, descriptor) if (is_watched_descriptor(descriptor) && fails(operation)) return -1

/* ---- open */

#define DEFINE_OPEN(name) \
  int name(const char *path, int flags, ...) { \
    REAL(name); \
    va_list more; \
    va_start(more, flags); \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; \
    va_end(more); \
    FAIL_PATH(OPEN, path); \
    return real(path, flags, mode); \
  }
DEFINE_OPEN(open)
DEFINE_OPEN(open64)

#define DEFINE_OPENAT(name) \
  int name(int directory, const char *path, int flags, ...) { \
    REAL(name); \
    va_list more; \
    va_start(more, flags); \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; \
    va_end(more); \
    if (is_watched_at(directory, path) && fails(OPEN)) return -1; \
    return real(directory, path, flags, mode); \
  }
DEFINE_OPENAT(openat)
DEFINE_OPENAT(openat64)

/* ---- write: the first half of the bytes gets to the file, as on a disk that fills up meanwhile */

ssize_t write(int descriptor, const void *bytes, size_t count) {
  REAL(write);
  if (is_watched_descriptor(descriptor) && fails(WRITE)) {
    int error = errno;
    if (count > 1 && real(descriptor, bytes, count / 2) < 0) { /* fails all the same */ }
    errno = error;
    return -1;
  }
  return real(descriptor, bytes, count);
}

#define DEFINE_PWRITE(name, offset_type) \
  ssize_t name(int descriptor, const void *bytes, size_t count, offset_type offset) { \
    REAL(name); \
    if (is_watched_descriptor(descriptor) && fails(WRITE)) { \
      int error = errno; \
      if (count > 1 && real(descriptor, bytes, count / 2, offset) < 0) { /* fails all the same */ } \
      errno = error; \
      return -1; \
    } \
    return real(descriptor, bytes, count, offset); \
  }
DEFINE_PWRITE(pwrite, off_t)
DEFINE_PWRITE(pwrite64, off64_t)

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
  REAL(writev);
  FAIL_DESCRIPTOR(WRITE, descriptor);
  return real(descriptor, parts, count);
}

#define DEFINE_PWRITEV(name, offset_type) \
  ssize_t name(int descriptor, const struct iovec *parts, int count, offset_type offset) { \
    REAL(name); \
    FAIL_DESCRIPTOR(WRITE, descriptor); \
    return real(descriptor, parts, count, offset); \
  }
DEFINE_PWRITEV(pwritev, off_t)
DEFINE_PWRITEV(pwritev64, off64_t)

#define DEFINE_SENDFILE(name, offset_type) \
  ssize_t name(int to, int from, offset_type *offset, size_t count) { \
    REAL(name); \
    FAIL_DESCRIPTOR(WRITE, to); \
    return real(to, from, offset, count); \
  }
DEFINE_SENDFILE(sendfile, off_t)
DEFINE_SENDFILE(sendfile64, off64_t)

#define DEFINE_FTRUNCATE(name, offset_type) \
  int name(int descriptor, offset_type length) { \
    REAL(name); \
    FAIL_DESCRIPTOR(WRITE, descriptor); \
    return real(descriptor, length); \
  }
DEFINE_FTRUNCATE(ftruncate, off_t)
DEFINE_FTRUNCATE(ftruncate64, off64_t)

#define DEFINE_FALLOCATE(name, offset_type) \
  int name(int descriptor, int mode, offset_type offset, offset_type length) { \
    REAL(name); \
    FAIL_DESCRIPTOR(WRITE, descriptor); \
    return real(descriptor, mode, offset, length); \
  }
DEFINE_FALLOCATE(fallocate, off_t)
DEFINE_FALLOCATE(fallocate64, off64_t)

/* ---- sync */

int fsync(int descriptor) {
  REAL(fsync);
  FAIL_DESCRIPTOR(SYNC, descriptor);
  return real(descriptor);
}

int fdatasync(int descriptor) {
  REAL(fdatasync);
  FAIL_DESCRIPTOR(SYNC, descriptor);
  return real(descriptor);
}

/* ---- rename */

int rename(const char *from, const char *to) {
  REAL(rename);
  if ((is_watched_path(from) || is_watched_path(to)) && fails(RENAME)) return -1;
  return real(from, to);
}

int renameat(int from_directory, const char *from, int to_directory, const char *to) {
  REAL(renameat);
  if ((is_watched_at(from_directory, from) || is_watched_at(to_directory, to)) && fails(RENAME)) return -1;
  return real(from_directory, from, to_directory, to);
}

int renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned int flags) {
  REAL(renameat2);
  if ((is_watched_at(from_directory, from) || is_watched_at(to_directory, to)) && fails(RENAME)) return -1;
  return real(from_directory, from, to_directory, to, flags);
}

int link(const char *from, const char *to) {
  REAL(link);
  if ((is_watched_path(from) || is_watched_path(to)) && fails(RENAME)) return -1;
  return real(from, to);
}

/* ---- entry: what else changes a folder's entries */

int unlink(const char *path) {
  REAL(unlink);
  FAIL_PATH(ENTRY, path);
  return real(path);
}

int unlinkat(int directory, const char *path, int flags) {
  REAL(unlinkat);
  if (is_watched_at(directory, path) && fails(ENTRY)) return -1;
  return real(directory, path, flags);
}

int mkdir(const char *path, mode_t mode) {
  REAL(mkdir);
  FAIL_PATH(ENTRY, path);
  return real(path, mode);
}

int chmod(const char *path, mode_t mode) {
  REAL(chmod);
  FAIL_PATH(ENTRY, path);
  return real(path, mode);
}

int fchmod(int descriptor, mode_t mode) {
  REAL(fchmod);
  FAIL_DESCRIPTOR(ENTRY, descriptor);
  return real(descriptor, mode);
}
