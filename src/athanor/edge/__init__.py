"""The edge: speaks to devices, keeps what it hears on disk and delivers it to the server, oldest first."""
