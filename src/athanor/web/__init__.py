"""The shell that frames apps, and the components that their pages are built of."""
