/* Preloaded into a program: the Nth call of one function fails, where it is about a file below FAIL_UNDER. The host's own output is
   left alone. FAIL_CALL names the function, FAIL_N counts from 1, FAIL_ERRNO is what it fails with. Says on FAIL_REPORT, a file, that
   it has failed once. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_int calls;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_under(const char *path) {
    const char *under = getenv("FAIL_UNDER");
    return under && path && strncmp(path, under, strlen(under)) == 0;
}

static int is_file_under(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len < 0) return 0;
    path[len] = 0;
    return is_under(path);
}

static int fails(const char *call) {
    const char *which = getenv("FAIL_CALL");
    if (!which || strcmp(which, call) != 0) return 0;
    if (atomic_fetch_add(&calls, 1) + 1 != atoi(getenv("FAIL_N"))) return 0;
    const char *report = getenv("FAIL_REPORT");
    int fd = report ? REAL(open)(report, O_CREAT | O_WRONLY | O_CLOEXEC, 0600) : -1;
    if (fd >= 0) close(fd);
    errno = atoi(getenv("FAIL_ERRNO"));
    return 1;
}

static int mode_of(int flags, va_list list) {
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(list, int) : 0;
}

#define OPEN(name)                                                        \
    int name(const char *path, int flags, ...) {                          \
        va_list list;                                                     \
        va_start(list, flags);                                            \
        int mode = mode_of(flags, list);                                  \
        va_end(list);                                                     \
        if (is_under(path) && fails("open")) return -1;                   \
        return REAL(name)(path, flags, mode);                             \
    }
OPEN(open)
OPEN(open64)

ssize_t write(int fd, const void *bytes, size_t len) {
    if (is_file_under(fd) && fails("write")) return -1;
    return REAL(write)(fd, bytes, len);
}

int rename(const char *from, const char *to) {
    if (is_under(from) && fails("rename")) return -1;
    return REAL(rename)(from, to);
}

int unlink(const char *path) {
    if (is_under(path) && fails("unlink")) return -1;
    return REAL(unlink)(path);
}

int mkdir(const char *path, mode_t mode) {
    if (is_under(path) && fails("mkdir")) return -1;
    return REAL(mkdir)(path, mode);
}

int chmod(const char *path, mode_t mode) {
    if (is_under(path) && fails("chmod")) return -1;
    return REAL(chmod)(path, mode);
}

/* Locks of both kinds. FAIL_N of 0 makes all of them fail: a file system without locks. */
static int lock_fails(int fd) {
    if (!is_file_under(fd)) return 0;
    const char *which = getenv("FAIL_CALL"), *n = getenv("FAIL_N");
    if (which && strcmp(which, "lock") == 0 && n && atoi(n) == 0) {
        errno = atoi(getenv("FAIL_ERRNO"));
        return 1;
    }
    return fails("lock");
}

int flock(int fd, int operation) {
    if (lock_fails(fd)) return -1;
    return REAL(flock)(fd, operation);
}

#define FCNTL(name)                                                       \
    int name(int fd, int command, ...) {                                  \
        va_list list;                                                     \
        va_start(list, command);                                          \
        void *argument = va_arg(list, void *);                            \
        va_end(list);                                                     \
        if (command == F_SETLK && lock_fails(fd)) return -1;              \
        return REAL(name)(fd, command, argument);                         \
    }
FCNTL(fcntl)
FCNTL(fcntl64)

#define TRUNCATE(name, type)                                              \
    int name(int fd, type len) {                                          \
        if (is_file_under(fd) && fails("ftruncate")) return -1;           \
        return REAL(name)(fd, len);                                       \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define READDIR(name, type)                                               \
    struct type *name(DIR *folder) {                                      \
        if (is_file_under(dirfd(folder)) && fails("readdir")) return NULL; \
        return REAL(name)(folder);                                        \
    }
READDIR(readdir, dirent)
READDIR(readdir64, dirent64)
