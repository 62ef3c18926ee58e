"""The `crossrate` command: runs the mesh, calls its methods, explains its policies."""
