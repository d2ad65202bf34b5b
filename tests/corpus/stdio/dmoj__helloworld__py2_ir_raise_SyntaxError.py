# Its syntax is right. It says otherwise itself, while it runs, which is an error at run time.
raise SyntaxError("Hello, World!")
