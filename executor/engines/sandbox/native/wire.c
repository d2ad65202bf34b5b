#include "runner.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int control = -1;

bool next_field(struct field *rest, struct field *field)
{
    size_t at = 0, size = 0;
    if (rest->size == 0)
        return false;
    while (at < rest->size && at < 20 && rest->data[at] >= '0' && rest->data[at] <= '9')
        size = size * 10 + (size_t)(rest->data[at++] - '0');
    if (at == 0 || at == rest->size || rest->data[at] != ':' || size > rest->size - at - 1)
        errno = 0, fail("not a packed message");
    *field = (struct field){rest->data + at + 1, size};
    *rest = (struct field){field->data + size, rest->size - at - 1 - size};
    return true;
}

bool field_is(struct field field, const char *text)
{
    return field.size == strlen(text) && memcmp(field.data, text, field.size) == 0;
}

long field_number(struct field field)
{
    char digits[24] = "";
    if (field.size >= sizeof digits)
        errno = 0, fail("not a number");
    memcpy(digits, field.data, field.size);
    return atol(digits);
}

bool receive(int channel, struct message *message)
{
    char ancillary[CMSG_SPACE(sizeof message->descriptors)];
    struct iovec part = {message->data, sizeof message->data};
    struct msghdr header = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = ancillary, .msg_controllen = sizeof ancillary};
    ssize_t size;
    do
        size = recvmsg(channel, &header, MSG_CMSG_CLOEXEC);
    while (size < 0 && errno == EINTR);
    message->descriptor_count = 0;
    if (size <= 0)
        return false;
    message->size = (size_t)size;
    struct cmsghdr *record = CMSG_FIRSTHDR(&header);
    if (record && record->cmsg_type == SCM_RIGHTS) {
        size_t bytes = record->cmsg_len - CMSG_LEN(0);
        memcpy(message->descriptors, CMSG_DATA(record), bytes);
        message->descriptor_count = (int)(bytes / sizeof(int));
    }
    return true;
}

bool send_with(int channel, const char *text, size_t size, const int *descriptors, int count)
{
    char ancillary[CMSG_SPACE(sizeof(int) * DESCRIPTORS_LIMIT)] = "";
    struct iovec part = {(char *)text, size};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        header.msg_control = ancillary;
        header.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
        struct cmsghdr *record = CMSG_FIRSTHDR(&header);
        record->cmsg_level = SOL_SOCKET;
        record->cmsg_type = SCM_RIGHTS;
        record->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
        memcpy(CMSG_DATA(record), descriptors, sizeof(int) * (size_t)count);
    }
    return sendmsg(channel, &header, MSG_NOSIGNAL) == (ssize_t)size;
}

void fail(const char *format, ...)
{
    char sentence[2000], packed[2100];
    int error = errno;
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(sentence, sizeof sentence - 100, format, arguments);
    va_end(arguments);
    if (size > (int)sizeof sentence - 101)
        size = (int)sizeof sentence - 101;
    if (error)
        size += snprintf(sentence + size, 100, ": %s", strerror(error));
    size = snprintf(packed, sizeof packed, "6:failed%d:%s", size, sentence);
    send_with(control, packed, (size_t)size, NULL, 0);
    _exit(1);
}

void answer_ended(const char *reason, int status, int64_t cpu_us, int64_t wall_us, int64_t peak_kib)
{
    const int64_t figures[] = {status, cpu_us, wall_us, peak_kib};
    char packed[200];
    int size = snprintf(packed, sizeof packed, "5:ended%zu:%s", strlen(reason), reason);
    for (int at = 0; at < 4; at++) {
        char digits[24];
        int length = snprintf(digits, sizeof digits, "%lld", (long long)figures[at]);
        size += snprintf(packed + size, sizeof packed - (size_t)size, "%d:%s", length, digits);
    }
    if (!send_with(control, packed, (size_t)size, NULL, 0))
        _exit(0);
}
