"""How fast it is, side by side with what people would run instead."""
