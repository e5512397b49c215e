"""What a module does on samples: whether its rows are independent, and whether it draws or keeps state."""
