"""What people type. The Python files here help the scripts; nothing in the product imports them."""
