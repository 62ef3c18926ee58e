"""What the mesh does now: edges, processes, the way of one call, taps."""
