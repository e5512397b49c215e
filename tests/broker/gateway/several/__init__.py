"""Several stores behind one interface, on two real servers."""
