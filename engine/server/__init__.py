"""HTTP: the doors that ride on it, the browser phone, health and metrics."""
