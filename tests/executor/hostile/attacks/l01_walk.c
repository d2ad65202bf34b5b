// id: L-01
// title: every file and link it may read, ten levels deep, on all mounts
// stage: run
// verdicts: wrong_answer accepted
// canaries: C2 C8 escaped
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char own[256], answer[256], content[1 << 16];
static long looked;
extern char **environ;

static void look(const char *text, long size) {
    for (const char *at = text; (at = memmem(at, text + size - at, "PLANTED-", 8)); at++) {
        long length = 8, left = text + size - at;
        while (length < left && strchr("abcdefghijklmnopqrstuvwxyz0123456789-", at[length]) && at[length]) length++;
        if (length < 26 || length > 60 || !strncmp(at, own, length)) continue;
        fprintf(stderr, "ESCAPED %.*s\n", (int)length, at);
        if (memmem(at, length, "-expected-", 10)) snprintf(answer, sizeof answer, "%.*s", (int)length, at);
    }
}

static void walk(const char *directory, int depth) {
    DIR *opened = opendir(*directory ? directory : "/");
    struct dirent *entry;
    char path[PATH_MAX];
    while (opened && (entry = readdir(opened))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        if (!strcmp(path, "/usr") || !strcmp(path, "/dev") || !strcmp(path, "/sys")) continue;
        look(path, strlen(path));
        struct stat info;
        if (lstat(path, &info)) continue;
        if (S_ISLNK(info.st_mode)) {
            long size = readlink(path, content, sizeof content);
            if (size > 0) look(content, size);
        } else if (S_ISDIR(info.st_mode)) {
            if (depth < 10) walk(path, depth + 1);
        } else {
            int file = open(path, O_RDONLY | O_NONBLOCK);
            long size = read(file, content, sizeof content);
            if (size > 0) look(content, size), looked++;
            close(file);
        }
    }
    if (opened) closedir(opened);
}

int main(int count, char **arguments) {
    scanf("%255s", own);
    for (int i = 0; i < count; i++) look(arguments[i], strlen(arguments[i]));
    for (char **one = environ; *one; one++) look(*one, strlen(*one));
    walk("", 0);
    fprintf(stderr, "looked into %ld\n", looked);
    puts(answer);
    return 0;
}
