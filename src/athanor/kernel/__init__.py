"""The park OS: plant model, telemetry, historian, bus, identity, jobs, files and the door that apps come in by."""
