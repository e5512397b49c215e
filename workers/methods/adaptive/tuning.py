"""Numbers of the adaptive methods that are choices, each with its unit and its reason."""

FIRST_STEPS = 8  # of a path that doubles: as few as smooth layers need, and half of them to compare with cost little
MAP_TOLERANCES = 30  # the attributions may change by so many tolerances, as with Integrated Gradients
