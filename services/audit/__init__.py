"""audit: the tamper-evident log of every fact that security and money rest on."""
