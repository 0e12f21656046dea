import { byTrouble, type DashboardState } from '../model/state.ts'
import type { UpstreamState } from '../model/upstream-state.ts'
import { Chip } from './chip.ts'
import { arrange, element, TextCell } from './dom.ts'
import { Legend } from './legend.ts'
import type { Page, View } from './shell.ts'
import { moveByKeys } from './keyboard.ts'
import { selectionOf } from './selection.ts'
import { Tile } from './tile.ts'

/** With more upstreams, those that need no look are chips. */
const maxTiles = 12

/** The upstreams: a tile each, the failing ones first; beyond twelve, healthy ones are chips. */
export class Tiles implements View {
  readonly #page: Page
  readonly #filter: () => string
  readonly #legend = new Legend()
  readonly #tileList = element('ul', { class: 'tiles', attributes: { 'aria-label': 'Upstreams' } })
  readonly #chipList = element('ul', { class: 'chips', attributes: { 'aria-label': 'Upstreams without trouble' } })
  readonly #empty = element('p', { class: 'empty', hidden: true })
  readonly #emptyText = new TextCell(this.#empty)
  readonly #tiles = new Map<string, Tile>()
  readonly #chips = new Map<string, Chip>()
  /** The order of the last frame, as one text: the lists are arranged only if it differs. */
  #order = ''
  #names = -1
  /** The name that the user has selected; undefined while the detail follows the sickest upstream. */
  #chosen: string | undefined

  constructor(page: Page, filter: () => string) {
    this.#page = page
    this.#filter = filter
    page.places.upstreams.append(this.#legend.node, this.#tileList, this.#chipList, this.#empty)
    for (const list of [this.#tileList, this.#chipList]) {
      list.addEventListener('click', event => this.#choose(event))
      moveByKeys(list)
    }
  }

  render(state: DashboardState): void {
    if (this.#names !== state.namesRevision) this.#prune(state)
    this.#chosen = state.isChosen ? state.selected?.name : undefined
    this.#legend.render(state.upstreams)
    const filter = this.#filter()
    const shown = state.upstreams.filter(upstream => matches(upstream, filter)).toSorted(worstFirst)
    const tiles = shown.length <= maxTiles ? shown : shown.filter(needsLook).slice(0, maxTiles)
    const chips = shown.slice(tiles.length)
    let busiest = 0
    for (const { traffic } of state.upstreams) busiest = Math.max(busiest, traffic)
    for (const upstream of tiles)
      this.#tileOf(upstream).render(upstream, state.at, busiest, selectionOf(upstream, state))
    for (const upstream of chips) this.#chipOf(upstream).render(upstream, selectionOf(upstream, state))
    this.#arrange(tiles, chips)
    this.#empty.hidden = shown.length > 0
    this.#emptyText.set(
      filter === ''
        ? 'No upstream is declared.'
        : `No upstream, and no aggregate that uses one, has ‘${filter}’ in its name.`,
    )
  }

  #arrange(tiles: readonly UpstreamState[], chips: readonly UpstreamState[]): void {
    const order = `${tiles.map(nameOf).join()}|${chips.map(nameOf).join()}`
    if (order === this.#order) return
    this.#order = order
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.name : undefined
    arrange(
      this.#tileList,
      tiles.map(upstream => this.#tileOf(upstream).node),
    )
    arrange(
      this.#chipList,
      chips.map(upstream => this.#chipOf(upstream).node),
    )
    this.#chipList.hidden = chips.length === 0
    // A tile that became a chip, or the reverse, keeps the focus.
    if (focused === undefined || document.activeElement !== document.body) return
    const moved = tiles.some(({ name }) => name === focused) ? this.#tiles.get(focused) : this.#chips.get(focused)
    moved?.button.focus({ preventScroll: true })
  }

  #prune({ namesRevision, upstreams }: DashboardState): void {
    this.#names = namesRevision
    const names = new Set(upstreams.map(nameOf))
    for (const buttons of [this.#tiles, this.#chips])
      for (const name of buttons.keys()) if (!names.has(name)) buttons.delete(name)
  }

  #tileOf({ name }: UpstreamState): Tile {
    let tile = this.#tiles.get(name)
    if (tile === undefined) this.#tiles.set(name, (tile = new Tile(name)))
    return tile
  }

  #chipOf({ name }: UpstreamState): Chip {
    let chip = this.#chips.get(name)
    if (chip === undefined) this.#chips.set(name, (chip = new Chip(name)))
    return chip
  }

  #choose({ target }: Event): void {
    const name = target instanceof Element ? target.closest('button')?.dataset.name : undefined
    if (name !== undefined) this.#page.select(name === this.#chosen ? undefined : name)
  }
}

// The name of an aggregate finds the upstreams that it uses.
const matches = ({ name, users }: UpstreamState, filter: string) =>
  name.toLowerCase().includes(filter) || users.some(user => user.toLowerCase().includes(filter))
const nameOf = ({ name }: UpstreamState) => name
const needsLook = ({ health }: UpstreamState) => health === 'failing' || health === 'strained'

// Within a health the declared order holds, so that tiles do not move with the traffic.
const worstFirst = (a: UpstreamState, b: UpstreamState) =>
  byTrouble.indexOf(a.health) - byTrouble.indexOf(b.health) || a.index - b.index
