# Ends by an exception that nobody catches.
places = {"here": 1}
print(places["there"])
