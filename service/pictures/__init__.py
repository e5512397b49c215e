"""Clients' pictures, decoded in bounded memory to the pixels that the model sees. Pure: files in, arrays out."""
