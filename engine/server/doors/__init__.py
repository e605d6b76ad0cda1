"""One file a door: each opens it for a running engine, and says where it is and what protects it."""
