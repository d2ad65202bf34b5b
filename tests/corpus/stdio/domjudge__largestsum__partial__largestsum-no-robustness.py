# Takes nothing at all for a sum too, so no answer is below zero.
count = int(input())
best = ending = 0
for word in input().split():
    ending = max(0, ending + int(word))
    best = max(best, ending)
print(best)
