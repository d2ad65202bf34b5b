# Tries all sums, but among the first ten numbers only.
count = int(input())
numbers = [int(word) for word in input().split()][:10]
print(max(sum(numbers[i:j]) for i in range(len(numbers)) for j in range(i + 1, len(numbers) + 1)))
