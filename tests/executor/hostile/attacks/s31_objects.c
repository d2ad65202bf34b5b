// id: S-31
// title: leaves System V and POSIX objects, keys and locks as a drop box
// stage: run
// verdicts: accepted
// canaries: C4 C8
// runs: 2
#define _GNU_SOURCE
#include <fcntl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
    if (shmget(@KEY@, 4096, 0) >= 0) puts("RESIDUE shared memory");
    if (semget(@KEY@, 1, 0) >= 0) puts("RESIDUE semaphore");
    if (msgget(@KEY@, 0) >= 0) puts("RESIDUE queue");
    if (shm_open("/@MARK@", O_RDWR, 0) >= 0) puts("RESIDUE POSIX shared memory");
    if (mq_open("/@MARK@", O_RDWR) != (mqd_t)-1) puts("RESIDUE POSIX queue");
    if (sem_open("/@MARK@", 0) != SEM_FAILED) puts("RESIDUE POSIX semaphore");
    if (syscall(SYS_request_key, "user", "@MARK@", 0, 0) >= 0) puts("RESIDUE key");
    shmget(@KEY@, 4096, IPC_CREAT | 0666);
    semget(@KEY@, 1, IPC_CREAT | 0666);
    msgget(@KEY@, IPC_CREAT | 0666);
    shm_open("/@MARK@", O_CREAT | O_RDWR, 0666);
    mq_open("/@MARK@", O_CREAT | O_RDWR, 0666, (struct mq_attr *)0);
    sem_open("/@MARK@", O_CREAT, 0666, 1);
    for (int ring = -5; ring < 0; ring++) syscall(SYS_add_key, "user", "@MARK@", "x", 1, ring);
    puts("42");
}
