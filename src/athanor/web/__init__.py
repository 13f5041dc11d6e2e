"""The shell that frames apps: sign-in, navigation, theme, language, and the components that every page is built from."""
