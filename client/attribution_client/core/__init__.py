"""What the client does, without doing any input or output: generators that yield steps, which a driver takes.

`Client` and `AsyncClient` drive the same generators.
"""
