"""Waveforms: vibration, noise and motor current at thousands of points a second, stored whole and read whole."""
