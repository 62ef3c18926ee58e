"""FIX 4.4: messages and the session that carries them. No socket, no clock: both are given."""
