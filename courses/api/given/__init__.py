"""What the courses API takes. Every field that can be written is listed; all others are refused by name."""
