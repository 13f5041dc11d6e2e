"""Files: waveforms, snapshots and documents, whole and durable, in a folder or an object store."""
