"""What makes orders move: accounts in memory, group commit, and what follows a commit."""
