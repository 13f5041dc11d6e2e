"""The shell that frames apps: sign-in, navigation, theme, language, and the components that pages are built from."""
