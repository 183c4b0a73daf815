// A file of its own and not inline, so that it runs before the first paint under a policy of script-src 'self'.
;(() => {
  try {
    const theme = localStorage.getItem('dwell-theme')
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
  } catch {
    // Storage is closed in some private modes: the system's theme holds.
  }
})()
