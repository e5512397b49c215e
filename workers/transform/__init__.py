"""What is done to a module at load. Each change is proved equal to the original before it is used."""
