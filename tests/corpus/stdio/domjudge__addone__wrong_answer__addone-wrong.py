# Adds one too many.
print(int(input()) + 2)
