# Adds in floating point, which has too few digits for the largest number.
print(int(float(input()) + 1))
