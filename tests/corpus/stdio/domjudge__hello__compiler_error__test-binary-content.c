ELF
��  int main
