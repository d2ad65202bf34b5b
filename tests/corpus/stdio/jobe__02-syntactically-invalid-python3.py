# Parses, and yet is no Python: a parameter cannot be global.
name = "Python"


def greet(name: str) -> None:
    global name
    print("Hello", name)


greet(name)
