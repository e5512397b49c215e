"""Attribution drift: what results add to the monitors that watch them, and how far a window is from its reference."""
