"""The lean transport on its real socket, spoken to frame by frame, and by grpc.aio."""
