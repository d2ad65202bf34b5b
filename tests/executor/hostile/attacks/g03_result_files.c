// id: G-03
// title: leaves results wherever a judge might read one, takes the rights away, and closes its output
// stage: run
// verdicts: wrong_answer
// canaries: C8 escaped
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void) {
    const char *names[] = {"result", "results.json", "report.xml", "stdout", "output", "out", "verdict", "exit_code",
                           "score.txt", "judgemessage.txt", "program", "meta", ".result"};
    const char *places[] = {".", "/tmp", "/box", "/program", "/dev/shm", "/proc", "/"};
    const char *text = "{\"status\": 3, \"verdict\": \"accepted\", \"score\": 100, \"exit\": 42}\n";
    char path[200];
    for (int place = 0; place < 7; place++)
        for (int name = 0; name < 13; name++) {
            snprintf(path, sizeof path, "%s/%s", places[place], names[name]);
            int file = open(path, O_CREAT | O_WRONLY, 0600);
            if (file < 0) continue;
            write(file, text, strlen(text));
            fchmod(file, 0);
            close(file);
        }
    for (int descriptor = 0; descriptor < 1024; descriptor++) close(descriptor);
    return 0;
}
