"""The catalogue of methods for people: one text file per language, and one of facts that need no translation."""
