"""The plant model: park, tenants, the equipment tree after ISA-95, and the tags on it."""
