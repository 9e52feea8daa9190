"""The generator: Locust, in processes of its own, as gevent changes whatever imports it."""
