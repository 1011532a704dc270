"""A known world: filled-in sheets as people, pens, paper, scanners and phones make them.

Everything is drawn from a seed and from nothing else, and of every target it is known what was
meant. It shares the forms' boxes and blanks with the program, and no code that reads or draws.

Every effect is a function of a strength, 0 (hardly there) to 1 (as bad as a careful person can
still read), and of a random generator.
"""
