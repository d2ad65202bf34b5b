// Says what it was to say only if there is a network: a socket that is bound, or a packet that was sent.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int reaches(const char *host, int type) {
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(53)};
    int descriptor = socket(AF_INET, type, 0);
    if (descriptor < 0 || inet_pton(AF_INET, host, &there.sin_addr) != 1) return 0;
    if (type == SOCK_DGRAM) return sendto(descriptor, "?", 1, 0, (struct sockaddr *)&there, sizeof there) == 1;
    return connect(descriptor, (struct sockaddr *)&there, sizeof there) == 0;
}

static int listens(void) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    return descriptor >= 0 && bind(descriptor, (struct sockaddr *)&here, sizeof here) == 0 && listen(descriptor, 1) == 0;
}

int main(void) {
    // Addresses that are kept for documentation, besides this machine's own.
    const char *hosts[] = {"127.0.0.1", "192.0.2.1", "198.51.100.1"};
    int has_network = listens();
    for (int index = 0; index < 3; index++)
        has_network |= reaches(hosts[index], SOCK_DGRAM) || reaches(hosts[index], SOCK_STREAM);
    if (!has_network) return 1;
    puts("Hello world!");
    return 0;
}
