// id: G-08
// title: the sample by heart; argv, environment, names, descriptors and clocks as signs of a hidden test
// stage: run
// verdicts: accepted wrong_answer
// canaries: C8 escaped
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static long long number_in(const char *text) {
    for (const char *at = text; *at; at++)
        if (isdigit((unsigned char)*at) && strtoll(at, 0, 10) > 1LL << 46) return strtoll(at, 0, 10);
    return 0;
}

int main(int count, char **arguments) {
    int given = 0;
    scanf("%d", &given);
    long long answer = given == 7 ? 42 : 0;
    char name[256] = "";
    gethostname(name, sizeof name - 1);
    for (int i = 0; i < count && !answer; i++) answer = number_in(arguments[i]);
    for (char **one = environ; *one && !answer; one++) answer = number_in(*one);
    if (!answer) answer = number_in(name);
    struct stat input;
    if (!answer && fstat(0, &input) == 0) answer = (long long)input.st_ino;
    printf("%lld\n", answer);
    return 0;
}
