"""What the engines of a process share: turns on the device, CPU threads, memory, and the TF32 switch."""
