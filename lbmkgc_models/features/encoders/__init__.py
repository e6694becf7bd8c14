"""What turns texts and pictures into vectors: one protocol, one small file an encoder."""
