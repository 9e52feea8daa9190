"""The ASGI application: HTTP in front of the pipeline that is deployed."""
