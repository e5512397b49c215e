"""Draws attributions: a heat map over a photograph, coloured words, bars, curves. Pure: arrays in, PNG or SVG out."""
