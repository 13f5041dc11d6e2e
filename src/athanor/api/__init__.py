"""The kernel's REST routes: what edges, programs and monitors call."""
