"""Measures, gates, simulators and the report; they measure the pipeline that is deployed."""
