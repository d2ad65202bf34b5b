# Right, but each number is one more than the sum of all up to the last but one: quadratic, too slow for a million.
MODULUS = 1_000_000_007
wanted = int(input())
numbers = [0, 1]
while len(numbers) <= wanted:
    numbers.append((sum(numbers[:-1]) + 1) % MODULUS)
print(numbers[wanted])
