"""What runs inside the box. Standard library only, imported lean: the box starts with each submission."""
