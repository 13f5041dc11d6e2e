"""Alarms after ISA-18.2 / IEC 62682: rules, their judging, the life cycle, what is kept of it."""
