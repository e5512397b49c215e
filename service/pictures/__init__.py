"""Attributions as pictures: a heat map over a photograph, coloured words, bars, curves. Pure: arrays in, PNG out."""
