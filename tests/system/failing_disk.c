// A disk that fails once. Preloaded into a host, it makes one call on a segment of the event log fail with EIO, and writes down whether the file
// is touched again: after a failed fsync the kernel has dropped what was pending and would report success.
//
// FAILING_DISK_CALL  fdatasync or pwrite
// FAILING_DISK_AT    the how manieth of these calls on a file *.events fails
// FAILING_DISK_LOG   gets a line "failed" and a line "again" for each later call on that file
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long calls = 0;
static ino_t failed_file = 0;

static int is_segment(int descriptor) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  const char* dot = strrchr(path, '.');
  return dot != NULL && strcmp(dot, ".events") == 0;
}

static void note(const char* line) {
  const int log = open(getenv("FAILING_DISK_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0 || write(log, line, strlen(line)) < 0) abort();
  close(log);
}

// Whether this call is the one that fails.
static int fails(const char* call, int descriptor) {
  const char* chosen = getenv("FAILING_DISK_CALL");
  if (chosen == NULL || !is_segment(descriptor)) return 0;
  struct stat facts;
  if (fstat(descriptor, &facts) != 0) return 0;
  int out = 0;
  pthread_mutex_lock(&mutex);
  if (facts.st_ino == failed_file) {
    note("again\n");
  } else if (strcmp(chosen, call) == 0 && ++calls == atol(getenv("FAILING_DISK_AT"))) {
    failed_file = facts.st_ino;
    note("failed\n");
    out = 1;
  }
  pthread_mutex_unlock(&mutex);
  return out;
}

int fdatasync(int descriptor) {
  static int (*next)(int);
  if (next == NULL) *(void**)&next = dlsym(RTLD_NEXT, "fdatasync");
  if (fails("fdatasync", descriptor)) {
    errno = EIO;
    return -1;
  }
  return next(descriptor);
}

ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t position) {
  static ssize_t (*next)(int, const void*, size_t, off_t);
  if (next == NULL) *(void**)&next = dlsym(RTLD_NEXT, "pwrite64");
  if (fails("pwrite", descriptor)) {
    errno = EIO;
    return -1;
  }
  return next(descriptor, bytes, size, position);
}
ssize_t pwrite64(int descriptor, const void* bytes, size_t size, off_t position) { return pwrite(descriptor, bytes, size, position); }
