import type { RunRow } from '../../waterfall/kept-run.ts'
import { countFilters, keptRunsPath, readFilters, readRun, withFilters, withRun } from '../model/filters.ts'
import { count } from '../model/format.ts'
import { mostShown, ShownRuns } from '../model/shown-runs.ts'
import type { DashboardState } from '../model/state.ts'
import { arrange, element, TextCell } from './dom.ts'
import { OpenRun } from './open-run.ts'
import { RunFilterBar } from './run-filters.ts'
import { RunRowView } from './run-row.ts'
import type { Page, View } from './shell.ts'

/** The list of runs with its filters, and beside it the open run. The address of the page has both. */
export class RunList implements View {
  readonly #page: Page
  readonly #shown = new ShownRuns()
  readonly #filters: RunFilterBar
  readonly #open: OpenRun
  readonly #list = element('ol', { class: 'run-rows', attributes: { 'aria-label': 'Runs, newest first' } })
  readonly #empty = element('p', { class: 'runs-empty', hidden: true })
  readonly #status: TextCell
  readonly #more: TextCell
  readonly #pause = button('Pause', () => this.#togglePause())
  readonly #older = button('Older runs', () => this.#readOlder())
  readonly #views = new Map<string, RunRowView>()
  readonly #spare: RunRowView[] = []
  #rows: readonly RunRow[] = []
  #state: DashboardState | undefined
  #seen = { names: -1, runs: -1, boot: '', shown: -1 }
  /** True if the list stands still because the pointer or the focus is in it. */
  #isHeld = false
  /** Counts the requests for kept runs, so that a late answer is dropped. */
  #request = 0

  constructor(page: Page) {
    this.#page = page
    this.#filters = new RunFilterBar(filters => {
      setSearch(withFilters(location.search, filters), false)
      this.#filter()
    })
    this.#open = new OpenRun(page, {
      onClose: () => this.#close(),
      onOpen: id => this.#openRun(id),
      addressOf: id => withRun(location.search, id),
    })
    const status = element('p', { class: 'runs-status' })
    const more = element('p', { class: 'runs-more' })
    this.#status = new TextCell(status)
    this.#more = new TextCell(more)
    const tools = element('div', { class: 'runs-tools' }, status, this.#pause, this.#older)
    const listed = element('div', { class: 'runs-listed' }, tools, heads(), this.#list, this.#empty, more)
    page.places.runs.append(this.#filters.node, element('div', { class: 'runs-split' }, listed, this.#open.node))
    this.#listen()
    this.#filters.set(readFilters(location.search))
  }

  render(state: DashboardState): void {
    const isFirst = this.#state === undefined
    this.#state = state
    const { rows } = state.runs
    if (state.namesRevision !== this.#seen.names) {
      this.#seen.names = state.namesRevision
      const nameOf = ({ name }: { readonly name: string }) => name
      this.#filters.setNames(state.aggregates.map(nameOf), state.upstreams.map(nameOf))
      if (state.boot !== this.#seen.boot) this.#shown.clear()
      this.#seen.boot = state.boot
    }
    if (isFirst) this.#follow()
    if (state.runsRevision !== this.#seen.runs) {
      this.#seen.runs = state.runsRevision
      this.#shown.take(rows)
      this.#writeStatus()
    }
    if (this.#shown.revision !== this.#seen.shown) this.#write()
  }

  #listen(): void {
    const list = this.#list
    list.addEventListener('click', event => {
      const link = event.target instanceof Element ? event.target.closest('a') : null
      const id = link?.dataset['run']
      // A click with a key opens the run in another tab or window.
      if (id === undefined || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return
      event.preventDefault()
      this.#openRun(id)
    })
    list.addEventListener('keydown', event => moveAmongRows(list, event))
    // A row must not move away below the pointer or the focus.
    list.addEventListener('pointerenter', ({ pointerType }) => pointerType === 'mouse' && this.#hold())
    list.addEventListener('pointerleave', () => list.contains(document.activeElement) || this.#release())
    list.addEventListener('focusin', () => this.#hold())
    list.addEventListener('focusout', ({ relatedTarget }) => {
      if (!(relatedTarget instanceof Node && list.contains(relatedTarget)) && !list.matches(':hover')) this.#release()
    })
    window.addEventListener('popstate', () => {
      this.#filters.set(readFilters(location.search))
      this.#follow()
    })
  }

  /** Shows what the address names: the filters and the open run. */
  #follow(): void {
    this.#filter()
    const run = readRun(location.search)
    if (run === undefined) this.#open.close()
    else this.#open.show(run, false)
  }

  #filter(): void {
    const filters = readFilters(location.search)
    this.#isHeld = false
    this.#shown.filter(filters, this.#state?.runs.rows ?? [])
    if (this.#state?.keptRuns === true && countFilters(filters) > 0) {
      void this.#read(keptRunsPath(filters, mostShown), runs => this.#shown.fill(runs))
    } else this.#request++
    this.#write()
  }

  #openRun(id: string): void {
    const search = withRun(location.search, id)
    if (search !== location.search) setSearch(search, true)
    this.#open.show(id, true)
    this.#write()
  }

  #close(): void {
    const id = readRun(location.search)
    setSearch(withRun(location.search, undefined), true)
    this.#open.close()
    this.#write()
    if (id !== undefined) this.#views.get(id)?.link.focus()
  }

  #hold(): void {
    if (this.#shown.mode !== 'live') return
    this.#isHeld = true
    this.#shown.pause()
    this.#writeStatus()
  }

  #release(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#shown.resume()
    this.#page.changed()
  }

  #togglePause(): void {
    // A list that is only held is paused by its button.
    if (this.#shown.mode === 'live') this.#shown.pause()
    else if (!this.#isHeld) this.#shown.resume()
    this.#isHeld = false
    this.#write()
  }

  #readOlder(): void {
    const last = this.#shown.rows.at(-1)
    void this.#read(keptRunsPath(this.#shown.filters, mostShown, last?.id), runs => {
      this.#isHeld = false
      this.#shown.showOlder(runs)
      this.#list.scrollTop = 0
      this.#page.announce(`${this.#shown.rows.length} older runs`)
    })
  }

  async #read(path: string, take: (runs: readonly RunRow[]) => void): Promise<void> {
    const request = ++this.#request
    try {
      const response = await this.#page.read(path)
      if (!response.ok) throw new Error(`the service answered ${response.status}`)
      const { runs } = (await response.json()) as { readonly runs: readonly RunRow[] }
      if (request !== this.#request) return
      take(runs)
      this.#write()
    } catch (error) {
      if (request === this.#request) this.#status.set(`The kept runs cannot be read: ${reasonOf(error)}`)
    }
  }

  /** Writes the rows. The nodes of runs that have left the list are used again. */
  #write(): void {
    const { rows, revision } = this.#shown
    this.#seen.shown = revision
    this.#rows = rows
    const ids = new Set(rows.map(({ id }) => id))
    for (const [id, view] of this.#views) {
      if (ids.has(id)) continue
      this.#views.delete(id)
      this.#spare.push(view)
    }
    const open = readRun(location.search)
    const nodes = rows.map(row => {
      const view = this.#views.get(row.id) ?? this.#spare.pop() ?? new RunRowView()
      this.#views.set(row.id, view)
      view.set(row)
      view.setAddress(withRun(location.search, row.id), row.id === open)
      return view.node
    })
    arrange(this.#list, nodes)
    this.#writeEmpty()
    this.#writeStatus()
  }

  #writeEmpty(): void {
    this.#empty.hidden = this.#rows.length > 0
    if (this.#rows.length > 0) return
    this.#empty.textContent =
      this.#state?.keptRuns === false
        ? 'Runs are not kept: KEPT_RUNS is 0.'
        : countFilters(this.#shown.filters) > 0
          ? 'No kept run passes the filters.'
          : 'No run has ended yet.'
  }

  #writeStatus(): void {
    const { mode, missed, rows } = this.#shown
    const runs = `${count(rows.length)} ${rows.length === 1 ? 'run' : 'runs'}`
    const texts = {
      live: `Live: ${runs}`,
      paused: `${this.#isHeld ? 'Held' : 'Paused'}: ${runs}, ${count(missed)} new`,
      older: `Older: ${runs}`,
    }
    this.#status.set(texts[mode])
    this.#pause.textContent = mode === 'live' || this.#isHeld ? 'Pause' : mode === 'paused' ? 'Resume' : 'Back to live'
    this.#pause.setAttribute('aria-pressed', String(mode === 'paused' && !this.#isHeld))
    this.#older.hidden = this.#state?.keptRuns === false
    this.#older.disabled = rows.length === 0
    const { complete, partial, failed, cancelled } = this.#state?.runs.more ?? noMore
    const more = complete + partial + failed + cancelled
    this.#more.set(
      more === 0 ? '' : `${count(more)} other runs were not listed: the list has at most 40 runs a second.`,
    )
  }
}

const noMore = { complete: 0, partial: 0, failed: 0, cancelled: 0 }

function heads(): HTMLElement {
  const names = ['State', 'Aggregate', 'Lost', 'Status', 'Took', 'Started']
  return element(
    'div',
    { class: 'run-heads', attributes: { 'aria-hidden': 'true' } },
    ...names.map(name => element('span', { text: name })),
  )
}

function button(text: string, action: () => void): HTMLButtonElement {
  const created = element('button', { class: 'tool', text, attributes: { type: 'button' } })
  created.addEventListener('click', action)
  return created
}

function setSearch(search: string, isNewPlace: boolean): void {
  const address = `${location.pathname}${search}`
  if (isNewPlace) history.pushState(null, '', address)
  else history.replaceState(null, '', address)
}

/** Moves the focus among the rows with the arrow keys, Home and End. */
function moveAmongRows(list: HTMLElement, event: KeyboardEvent): void {
  const links = Array.from(list.querySelectorAll('a'))
  const at = links.indexOf(event.target as HTMLAnchorElement)
  if (at === -1 || event.ctrlKey || event.metaKey || event.altKey) return
  const places: Readonly<Record<string, number>> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    Home: 0,
    End: links.length - 1,
  }
  const place = Object.hasOwn(places, event.key) ? links[places[event.key]] : undefined
  if (place === undefined) return
  event.preventDefault()
  place.focus()
}

function reasonOf(error: unknown): string {
  return error instanceof TypeError ? 'the service does not answer' : (error as Error).message
}
