# Parses, and yet is no Python: a name is declared global after it was used.
prefix = "incorrect"


def answer(number: int) -> str:
    prefix = "correct"
    global prefix
    return f"{prefix} {number}"


print(answer(int(input())))
