"""What speaks to the application, or to its providers' clients, over HTTP only."""
