# Knows the answer to the first input only.
number = int(input())
print("correct 1" if number == 1 else "incorrect")
