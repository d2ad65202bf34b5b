// Reads, prints nothing, and ends well: silence is a wrong answer.
#include <stdio.h>

int main(void) {
    int number;
    return scanf("%d", &number) != 1;
}
