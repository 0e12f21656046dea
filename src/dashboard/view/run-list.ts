import { countFilters, readFilters, readRun, withFilters, withRun } from '../model/filters.ts'
import { KeptReader } from '../model/kept-reader.ts'
import { ShownRuns } from '../model/shown-runs.ts'
import type { DashboardState } from '../model/state.ts'
import { element } from './dom.ts'
import { columnTitles, ListedRows } from './listed-rows.ts'
import { OpenRun } from './open-run.ts'
import { RunFilterBar } from './run-filters.ts'
import { RunListTools } from './run-list-tools.ts'
import type { Page, View } from './shell.ts'

/** The list of runs with its filters, and beside it the open run. The address of the page has both. */
export class RunList implements View {
  readonly #page: Page
  readonly #shown = new ShownRuns()
  readonly #filters: RunFilterBar
  readonly #tools: RunListTools
  readonly #rows: ListedRows
  readonly #open: OpenRun
  readonly #kept: KeptReader
  #state: DashboardState | undefined
  #seen = { names: -1, runs: -1, boot: '', shown: -1 }
  /** True if the list stands still because the pointer or the focus is in it. */
  #isHeld = false
  /** The query of the address whose filters and run are shown. */
  #search = location.search

  constructor(page: Page) {
    this.#page = page
    this.#filters = new RunFilterBar(filters => {
      this.#setSearch(withFilters(location.search, filters), false)
      this.#filter()
    })
    this.#tools = new RunListTools({ onPause: () => this.#togglePause(), onOlder: () => this.#findOlder() })
    this.#rows = new ListedRows({
      onOpen: id => this.#openRun(id),
      onHold: () => this.#hold(),
      onRelease: () => this.#release(),
    })
    this.#open = new OpenRun(page, {
      onClose: () => this.#close(),
      onOpen: id => this.#openRun(id),
      addressOf: id => withRun(location.search, id),
    })
    this.#kept = new KeptReader(
      path => page.read(path),
      () => this.#write(),
    )
    const { head, foot } = this.#tools
    const listed = element('div', { class: 'runs-listed' }, head, columnTitles(), this.#rows.node, foot)
    const split = element('div', { class: 'runs-split' }, listed, this.#open.node)
    page.places.runs.append(this.#filters.node, split)
    this.#filters.set(readFilters(location.search))
    window.addEventListener('popstate', () => {
      // A link within the page changes only the hash.
      if (location.search === this.#search) return
      this.#search = location.search
      this.#filters.set(readFilters(location.search))
      this.#follow()
    })
  }

  render(state: DashboardState): void {
    const isFirst = this.#state === undefined
    this.#state = state
    if (state.namesRevision !== this.#seen.names) {
      this.#seen.names = state.namesRevision
      const nameOf = ({ name }: { readonly name: string }) => name
      this.#filters.setNames(state.aggregates.map(nameOf), state.upstreams.map(nameOf))
      if (state.boot !== this.#seen.boot) this.#clear()
      this.#seen.boot = state.boot
    }
    if (isFirst) this.#follow()
    if (state.runsRevision !== this.#seen.runs) {
      this.#seen.runs = state.runsRevision
      this.#shown.take(state.runs.rows)
      this.#writeTools()
    }
    if (this.#shown.revision !== this.#seen.shown) this.#write()
  }

  #clear(): void {
    this.#isHeld = false
    this.#shown.clear()
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
    if (this.#state?.keptRuns === true && countFilters(filters) > 0)
      this.#kept.find(filters, runs => this.#shown.fill(runs))
    else this.#kept.drop()
    this.#write()
  }

  #findOlder(): void {
    const { filters, rows } = this.#shown
    this.#kept.findOlder(filters, rows, runs => {
      if (!this.#shown.showOlder(runs)) return false
      this.#isHeld = false
      this.#rows.node.scrollTop = 0
      this.#page.announce(`${this.#shown.rows.length} older runs`)
      return true
    })
  }

  #openRun(id: string): void {
    const search = withRun(location.search, id)
    if (search !== location.search) this.#setSearch(search, true)
    this.#open.show(id, true)
    this.#write()
  }

  #close(): void {
    const id = readRun(location.search)
    this.#setSearch(withRun(location.search, undefined), true)
    this.#open.close()
    this.#write()
    if (id !== undefined) this.#rows.focus(id)
  }

  #hold(): void {
    if (this.#shown.mode !== 'live') return
    this.#isHeld = true
    this.#shown.pause()
    this.#writeTools()
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
    this.#kept.drop()
    this.#write()
  }

  #write(): void {
    const { rows, revision } = this.#shown
    const { search } = location
    this.#seen.shown = revision
    this.#rows.write(rows, id => withRun(search, id), readRun(search))
    this.#writeTools()
  }

  #writeTools(): void {
    if (this.#state !== undefined) this.#tools.write(this.#shown, this.#isHeld, this.#kept, this.#state)
  }

  #setSearch(search: string, isNewPlace: boolean): void {
    const address = `${location.pathname}${search}`
    if (isNewPlace) history.pushState(null, '', address)
    else history.replaceState(null, '', address)
    this.#search = location.search
  }
}
