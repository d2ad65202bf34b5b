# Looks at the last two digits only.
print(int(input()[-2:]) + 1)
