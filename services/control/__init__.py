"""The mesh's control plane: configuration, certificates and endpoints for the proxies; status and changes for operators."""
