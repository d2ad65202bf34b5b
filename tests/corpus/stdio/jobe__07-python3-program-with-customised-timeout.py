# Takes longer by the clock than the five seconds that its neighbors are given.
import time

time.sleep(5.5)
print("Hello Python")
