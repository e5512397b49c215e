"""What a module does on samples: its graph, equal copies, independent rows, chance and state."""
