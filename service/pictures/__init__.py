"""Attributions as pictures: a heat map over a photograph, coloured words, bars. Pure: bytes and arrays in, PNG out."""
