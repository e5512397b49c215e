"""The types of the wire, generated, and how answers become them."""
