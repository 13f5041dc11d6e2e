"""The edge: speaks to devices, keeps everything on disk, delivers it."""
