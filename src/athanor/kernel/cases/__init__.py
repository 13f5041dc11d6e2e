"""Cases: what has to be dealt with until it is closed, by whom, until when, with which evidence."""
