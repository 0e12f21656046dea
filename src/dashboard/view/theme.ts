import { place } from './shell.ts'

type Theme = 'system' | 'light' | 'dark'

const themes: readonly Theme[] = ['system', 'light', 'dark']
const storageKey = 'headwaters-theme'
const labels = { system: 'Theme: system', light: 'Theme: light', dark: 'Theme: dark' } as const
const listeners: (() => void)[] = []

/** Calls the listener after the theme or the colours of the system have changed. */
export function onTheme(listener: () => void): void {
  listeners.push(listener)
}

/** Returns the present value of a colour of style.css, such as `--failing`, as a canvas takes it. */
export function colour(variable: string): string {
  const probe = place('theme')
  const before = probe.style.color
  probe.style.color = `var(${variable})`
  const value = getComputedStyle(probe).color
  probe.style.color = before
  return value
}

/** Uses the theme of the last visit, and lets the button change it. */
export function startTheme(): void {
  const button = place('theme')
  let theme = stored()
  const show = () => {
    if (theme === 'system') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = theme
    button.textContent = labels[theme]
    button.dataset.theme = theme
    for (const listener of listeners) listener()
  }
  button.addEventListener('click', () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'system'
    store(theme)
    show()
  })
  for (const query of ['(prefers-color-scheme: dark)', '(forced-colors: active)'])
    matchMedia(query).addEventListener('change', show)
  show()
}

// A browser that blocks the storage throws.
function stored(): Theme {
  try {
    const value = localStorage.getItem(storageKey)
    return themes.find(theme => theme === value) ?? 'system'
  } catch {
    return 'system'
  }
}

function store(theme: Theme): void {
  try {
    localStorage.setItem(storageKey, theme)
  } catch {
    // The theme holds until the page is closed.
  }
}
