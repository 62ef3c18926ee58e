"""Clients that trade over FIX 4.4: their orders go to trading, trading's reports come back."""
