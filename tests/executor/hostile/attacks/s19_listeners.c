// id: S-19
// title: sends to listeners of this machine, connected and not, by each call that can send
// stage: run
// verdicts: accepted
// canaries: C1 C8
// wall_limit_ms: 4000
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void reach(int kind, struct sockaddr *address, socklen_t size) {
    int opened = socket(address->sa_family, kind | SOCK_NONBLOCK, 0);
    sendto(opened, "@MARK@", 10, MSG_FASTOPEN | MSG_NOSIGNAL, address, size);
    sendto(opened, "@MARK@", 10, MSG_NOSIGNAL, address, size);
    connect(opened, address, size);
    struct iovec text = {"@MARK@", 10};
    struct mmsghdr message = {{address, size, &text, 1, 0, 0, 0}, 0};
    sendmmsg(opened, &message, 1, MSG_NOSIGNAL);
    usleep(100000);
}

int main(void) {
    struct sockaddr_in four = {AF_INET, htons(@TCP_PORT@), {htonl(INADDR_LOOPBACK)}, {0}};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(@TCP6_PORT@), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_un named = {AF_UNIX, "@UNIX_PATH@"}, nameless = {AF_UNIX, "\0@ABSTRACT@"};
    reach(SOCK_STREAM, (void *)&four, sizeof four);
    four.sin_port = htons(@UDP_PORT@);
    reach(SOCK_DGRAM, (void *)&four, sizeof four);
    reach(SOCK_STREAM, (void *)&six, sizeof six);
    six.sin6_port = htons(@UDP6_PORT@);
    reach(SOCK_DGRAM, (void *)&six, sizeof six);
    reach(SOCK_STREAM, (void *)&named, sizeof named);
    reach(SOCK_STREAM, (void *)&nameless, offsetof(struct sockaddr_un, sun_path) + 1 + strlen("@ABSTRACT@"));
    // A pair is bound to nobody else, and can send by name all the same.
    struct sockaddr_un datagram = {AF_UNIX, "\0@DATAGRAM@"};
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0)
        sendto(pair[0], "@MARK@", 10, 0, (void *)&datagram, offsetof(struct sockaddr_un, sun_path) + 1 + strlen("@DATAGRAM@"));
    puts("42");
}
