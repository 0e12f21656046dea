import { countFilters } from '../model/filters.ts'
import { count } from '../model/format.ts'
import type { KeptReader } from '../model/kept-reader.ts'
import { mostShown, type ShownRuns } from '../model/shown-runs.ts'
import type { DashboardState } from '../model/state.ts'
import { element, TextCell } from './dom.ts'

/** The parts above and below the rows of the list of runs: its state, its buttons, and notes on missing runs. */
export class RunListTools {
  readonly head: HTMLElement
  readonly foot: HTMLElement
  readonly #pause: HTMLButtonElement
  readonly #older: HTMLButtonElement
  readonly #status: TextCell
  readonly #pauseText: TextCell
  readonly #empty: TextCell
  readonly #more: TextCell

  constructor({ onPause, onOlder }: { readonly onPause: () => void; readonly onOlder: () => void }) {
    const status = element('p', { class: 'runs-status' })
    const empty = element('p', { class: 'runs-empty' })
    const more = element('p', { class: 'runs-more' })
    this.#pause = button(onPause)
    this.#older = button(onOlder)
    this.#older.append('Older runs')
    this.head = element('div', { class: 'runs-tools' }, status, this.#pause, this.#older)
    this.foot = element('div', {}, empty, more)
    this.#status = new TextCell(status)
    this.#pauseText = new TextCell(this.#pause)
    this.#empty = new TextCell(empty)
    this.#more = new TextCell(more)
  }

  /**
   * Writes the state of the list.
   *
   * @param isHeld - True if the list stands still only while the pointer or the focus is in it.
   * @param kept - The last request for kept runs.
   */
  write(
    shown: ShownRuns,
    isHeld: boolean,
    { note, hasMore }: KeptReader,
    { keptRuns, runs: { more } }: DashboardState,
  ): void {
    const { mode, missed, rows, filters } = shown
    const runs = `${count(rows.length)} ${rows.length === 1 ? 'run' : 'runs'}`
    const texts = {
      live: `Live: ${runs}`,
      paused: `${isHeld ? 'Held' : 'Paused'}: ${runs}, ${count(missed)} new`,
      older: `Older: ${runs}`,
    }
    this.#status.set(`${texts[mode]}${note === '' ? '' : `. ${note}`}`)
    const isPaused = mode === 'paused' && !isHeld
    this.#pauseText.set(mode === 'older' ? 'Back to live' : isPaused ? 'Resume' : 'Pause')
    this.#older.hidden = !keptRuns
    const isFiltered = countFilters(filters) > 0
    this.#older.disabled = rows.length === 0 && !isFiltered
    this.#empty.set(rows.length > 0 ? '' : emptyText(keptRuns, isFiltered, hasMore))
    const unlisted = more.complete + more.partial + more.failed + more.cancelled
    this.#more.set(
      unlisted === 0 || rows.length === 0
        ? ''
        : `${count(unlisted)} other runs were not listed: the list takes at most 40 runs a second.`,
    )
  }
}

function emptyText(keptRuns: boolean, isFiltered: boolean, hasMore: boolean): string {
  if (!keptRuns) return 'Runs are not kept: KEPT_RUNS is 0.'
  if (!isFiltered) return 'No run has ended yet.'
  return hasMore ? `None of the newest ${mostShown} kept runs passes the filters.` : 'No kept run passes the filters.'
}

function button(action: () => void): HTMLButtonElement {
  const created = element('button', { class: 'tool', attributes: { type: 'button' } })
  created.addEventListener('click', action)
  return created
}
