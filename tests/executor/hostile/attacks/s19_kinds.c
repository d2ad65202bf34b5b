// id: S-19
// title: opens every kind of socket that reaches beyond a process: raw, packet, netlink, vsock, ICMP, and hands them on
// stage: run
// verdicts: accepted
// canaries: C1 escaped C8
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
    for (int family = 0; family < 50; family++)
        for (int kind = 1; kind < 6; kind++)
            for (int protocol = 0; protocol < 2; protocol++)
                if (socket(family, kind, protocol) >= 0) printf("ESCAPED socket %d %d %d\n", family, kind, protocol);
    int pair[2];
    if (socketpair(AF_INET, SOCK_STREAM, 0, pair) == 0 || socketpair(AF_TIPC, SOCK_STREAM, 0, pair) == 0)
        puts("ESCAPED socketpair");
    for (int number = 3; number < 64; number++)
        if (listen(number, 1) == 0 || accept(number, 0, 0) >= 0) printf("ESCAPED listens on %d\n", number);
    puts("42");
}
