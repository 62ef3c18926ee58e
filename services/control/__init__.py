"""The mesh's control plane: configuration, certificates and endpoints of the proxies, and the operators' changes."""
