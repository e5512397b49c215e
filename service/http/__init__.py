"""What every HTTP exchange shares: forms, negotiation, errors, limits and the access log."""
