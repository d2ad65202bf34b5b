// Does nothing, and that well.
int main(void) { return 0; }
