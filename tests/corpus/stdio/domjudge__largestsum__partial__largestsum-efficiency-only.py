# Fast, and without thought for the edges: no sum below zero, none beyond 31 bits, no list of one.
count = int(input())
numbers = [int(word) for word in input().split()]
best = ending = 0
if count > 1:
    for number in numbers:
        ending = max(0, ending + number)
        best = max(best, ending)
print(best & 0x7FFFFFFF)
