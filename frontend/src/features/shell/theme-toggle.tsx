import { THEMES, useTheme } from '../../hooks/use-theme'
import { Icon } from '../../ui/icon'

export function ThemeToggle() {
  const { theme, choose } = useTheme()
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system'
  return (
    <button
      type="button"
      className="bar-button"
      aria-label={`Theme: ${theme}. Change to ${next}`}
      title={`Theme: ${theme}`}
      onClick={() => choose(next)}
    >
      <Icon name="theme" /> <span className="wide-only">{theme}</span>
    </button>
  )
}
