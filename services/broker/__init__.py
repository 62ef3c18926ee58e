"""Orders on their way to venues, what venues say of them, and clients that trade over FIX."""
