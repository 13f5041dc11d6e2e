// What the frame does without asking the server: theme, menus, the phone's navigation, and telling the page when
// nobody looks at it. Loaded before the page is drawn, so that the right theme is there from the first frame.
"use strict";

const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

window.athanor = {
  remember(name, value) {
    document.cookie = `${name}=${encodeURIComponent(value)}; path=/; max-age=31536000; samesite=lax`;
  },
  recall(name) {
    const found = document.cookie.split("; ").find((pair) => pair.startsWith(name + "="));
    return found ? decodeURIComponent(found.slice(name.length + 1)) : null;
  },
  theme() {
    const chosen = this.recall("athanor_theme");
    return chosen === "dark" || chosen === "light" ? chosen : systemIsDark.matches ? "dark" : "light";
  },
  applyTheme() {
    const theme = this.theme();
    document.documentElement.dataset.theme = theme;
    if (typeof setDark === "function") setDark(theme === "dark");
    const chosen = this.recall("athanor_theme") || "system";
    for (const button of document.querySelectorAll("[data-choose-theme]"))
      button.setAttribute("aria-pressed", String(button.dataset.chooseTheme === chosen));
  },
  chooseTheme(theme) {
    this.remember("athanor_theme", theme);
    this.applyTheme();
  },
  chooseLanguage(language) {
    this.remember("athanor_language", language);
    location.reload();
  },
  toggleNavigation(open) {
    const isOpen = document.body.classList.toggle("nav-open", open);
    document.querySelector(".ath-nav-button")?.setAttribute("aria-expanded", String(isOpen));
  },
};

athanor.applyTheme();
systemIsDark.addEventListener("change", () => athanor.applyTheme());
document.addEventListener("DOMContentLoaded", () => setTimeout(() => athanor.applyTheme(), 0));

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.ath-menu[open]"))
    if (!menu.contains(event.target) || event.target.closest("button, a")) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  athanor.toggleNavigation(false);
  for (const menu of document.querySelectorAll("details.ath-menu[open]")) {
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }
});
document.addEventListener("visibilitychange", () => {
  if (window.did_handshake) emitEvent("athanor_seen", !document.hidden);
});
