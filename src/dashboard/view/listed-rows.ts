import type { RunRow } from '../../waterfall/kept-run.ts'
import { arrange, element } from './dom.ts'
import { RunRowView } from './run-row.ts'

export interface ListedRowsOptions {
  /** Opens a run. */
  readonly onOpen: (id: string) => void
  /** The pointer or the focus comes into the list: a row must not move away below it. */
  readonly onHold: () => void
  /** The pointer and the focus have left the list. */
  readonly onRelease: () => void
}

/** The rows of the list of runs. The nodes of runs that have left the list are used again. */
export class ListedRows {
  readonly node = element('ol', { class: 'run-rows', attributes: { 'aria-label': 'Runs, newest first' } })
  readonly #views = new Map<string, RunRowView>()
  readonly #spare: RunRowView[] = []

  constructor({ onOpen, onHold, onRelease }: ListedRowsOptions) {
    const list = this.node
    list.addEventListener('click', event => {
      const id = linkOf(event)?.dataset['run']
      // A click with a key opens the run in another tab or window.
      if (id === undefined || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return
      event.preventDefault()
      onOpen(id)
    })
    list.addEventListener('keydown', event => moveAmongRows(list, event))
    list.addEventListener('pointerenter', ({ pointerType }) => pointerType === 'mouse' && onHold())
    list.addEventListener('pointerleave', () => list.contains(document.activeElement) || onRelease())
    list.addEventListener('focusin', onHold)
    list.addEventListener('focusout', ({ relatedTarget }) => {
      if (!(relatedTarget instanceof Node && list.contains(relatedTarget)) && !list.matches(':hover')) onRelease()
    })
  }

  /**
   * Shows these runs.
   *
   * @param addressOf - Returns the address of a run.
   * @param open - The id of the open run.
   */
  write(rows: readonly RunRow[], addressOf: (id: string) => string, open: string | undefined): void {
    const ids = new Set(rows.map(({ id }) => id))
    for (const [id, view] of this.#views) {
      if (ids.has(id)) continue
      this.#views.delete(id)
      this.#spare.push(view)
    }
    const nodes = rows.map(row => {
      const view = this.#views.get(row.id) ?? this.#spare.pop() ?? new RunRowView()
      this.#views.set(row.id, view)
      view.set(row)
      view.setAddress(addressOf(row.id), row.id === open)
      return view.node
    })
    arrange(this.node, nodes)
  }

  /** Gives the focus to a run that is in the list. */
  focus(id: string): void {
    this.#views.get(id)?.link.focus()
  }
}

/** Creates the titles of the columns, which a wide list shows. A row says what it has, so they are not read out. */
export function columnTitles(): HTMLElement {
  const names = ['State', 'Aggregate', 'Lost', 'Status', 'Took', 'Started']
  return element(
    'div',
    { class: 'run-heads', attributes: { 'aria-hidden': 'true' } },
    ...names.map(name => element('span', { text: name })),
  )
}

function linkOf({ target }: Event): HTMLAnchorElement | null {
  return target instanceof Element ? target.closest('a') : null
}

/** Moves the focus among the rows with the arrow keys, Home and End. */
function moveAmongRows(list: HTMLElement, event: KeyboardEvent): void {
  const links = Array.from(list.querySelectorAll('a'))
  const at = links.indexOf(event.target as HTMLAnchorElement)
  if (at === -1 || event.ctrlKey || event.metaKey || event.altKey) return
  const place = placeOf(event.key, links, at)
  if (place === undefined) return
  event.preventDefault()
  place.focus()
}

function placeOf(key: string, links: readonly HTMLAnchorElement[], at: number): HTMLAnchorElement | undefined {
  if (key === 'ArrowDown') return links[at + 1]
  if (key === 'ArrowUp') return links[at - 1]
  if (key === 'Home') return links[0]
  return key === 'End' ? links.at(-1) : undefined
}
