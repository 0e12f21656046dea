/**
 * Lets the arrow keys, Home and End move the focus among the buttons of a list. Up and down go to the button of the
 * next row that is nearest. Every button keeps its place in the order of the tab key.
 */
export function moveByKeys(list: HTMLElement): void {
  list.addEventListener('keydown', event => {
    if (event.altKey || event.ctrlKey || event.metaKey || !(event.target instanceof HTMLElement)) return
    const buttons = Array.from(list.querySelectorAll('button'))
    const from = buttons.indexOf(event.target as HTMLButtonElement)
    if (from === -1) return
    const to = targetOf(event.key, buttons, from)
    if (to === undefined) return
    event.preventDefault()
    to.focus()
  })
}

function targetOf(key: string, buttons: readonly HTMLButtonElement[], from: number): HTMLButtonElement | undefined {
  if (key === 'ArrowRight') return buttons[from + 1]
  if (key === 'ArrowLeft') return buttons[from - 1]
  if (key === 'Home') return buttons[0]
  if (key === 'End') return buttons.at(-1)
  if (key !== 'ArrowDown' && key !== 'ArrowUp') return undefined
  const candidates = key === 'ArrowDown' ? buttons.slice(from + 1) : buttons.slice(0, from).toReversed()
  return nearest(candidates, buttons[from])
}

/** Returns the button of the first other row whose left side is nearest. */
function nearest(
  candidates: readonly HTMLButtonElement[],
  from: HTMLButtonElement | undefined,
): HTMLButtonElement | undefined {
  const { top, left } = from?.getBoundingClientRect() ?? new DOMRect()
  let row: number | undefined
  let found: HTMLButtonElement | undefined
  let distance = Infinity
  for (const candidate of candidates) {
    const place = candidate.getBoundingClientRect()
    if (Math.abs(place.top - top) < 2) continue
    row ??= place.top
    if (Math.abs(place.top - row) > 2) break
    if (Math.abs(place.left - left) >= distance) continue
    distance = Math.abs(place.left - left)
    found = candidate
  }
  return found
}

/** Lets `/` go to the filter from everywhere but a field, and Escape empty it. */
export function startFilterKeys(filter: HTMLInputElement, changed: () => void): void {
  document.addEventListener('keydown', event => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isField(event.target)) return
    event.preventDefault()
    filter.focus()
    filter.select()
  })
  filter.addEventListener('input', changed)
  filter.addEventListener('keydown', event => {
    if (event.key !== 'Escape' || filter.value === '') return
    filter.value = ''
    changed()
  })
}

const isField = (target: EventTarget | null) =>
  target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
