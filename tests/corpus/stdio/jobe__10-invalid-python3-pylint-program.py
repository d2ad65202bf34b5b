# Judges another program before running it, by the standard library's own means, since there is no pylint in a box.
import ast

PROGRAM = """
def area(width, height):
    return width * heigth
"""


def unknown_names(program: str) -> set[str]:
    nodes = list(ast.walk(ast.parse(program)))
    known = {node.arg for node in nodes if isinstance(node, ast.arg)}
    used = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return used - known


if unknown_names(PROGRAM):
    print("pylint doesn't approve of your program")
else:
    exec(PROGRAM)
