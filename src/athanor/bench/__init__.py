"""Benchmarks: every performance figure that Athanor claims comes from one of these."""
