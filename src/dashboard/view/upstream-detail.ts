import { ChartData } from '../model/chart-data.ts'
import { absent, availableOf, clock, elapsed, latency, rate, share } from '../model/format.ts'
import type { DashboardState } from '../model/state.ts'
import type { UpstreamState } from '../model/upstream-state.ts'
import type { BreakerChange, UpstreamHistory } from '../protocol.ts'
import { Charts } from './charts.ts'
import { AttributeCell, element, TextCell } from './dom.ts'
import { NumbersTable } from './numbers-table.ts'
import { HealthShape, healthWords } from './shapes.ts'
import type { Page, View } from './shell.ts'
import { UpstreamUsers } from './upstream-users.ts'

const numbers: readonly { readonly label: string; readonly text: (upstream: UpstreamState) => string }[] = [
  { label: 'attempts/s', text: upstream => rate(upstream.rate) },
  { label: 'errors', text: upstream => share(upstream.errorShare) },
  { label: 'lost calls', text: upstream => share(upstream.lostShare) },
  { label: 'p50', text: upstream => latency(upstream.p50) },
  { label: 'p95', text: upstream => latency(upstream.p95) },
  { label: 'p99', text: upstream => latency(upstream.p99) },
  { label: 'permits', text: ({ permits, permitLimit }) => withLimit(permits, permitLimit) },
  { label: 'queued', text: upstream => String(upstream.queued) },
  { label: 'origins', text: ({ origins }) => (origins === undefined ? absent : availableOf(origins)) },
  { label: 'breaker', text: upstream => (upstream.breaker === 'none' ? absent : upstream.breaker) },
]

/** The number of changes of the circuit breaker that are shown. */
const mostChanges = 4

/** The detail of the selected upstream: its state, its numbers, what callers get, and charts over two minutes. */
export class UpstreamDetail implements View {
  readonly #page: Page
  readonly #data = new ChartData()
  readonly #charts = new Charts(this.#data)
  readonly #table = new NumbersTable(() => this.#page.changed())
  readonly #users: UpstreamUsers
  readonly #shape = new HealthShape('idle')
  readonly #name: TextCell
  readonly #state: TextCell
  readonly #health: AttributeCell
  readonly #origin: TextCell
  readonly #breaker: TextCell
  readonly #cells: readonly TextCell[]
  readonly #empty = element('p', { class: 'soft', text: 'No upstream is declared.' })
  readonly #body: HTMLElement
  /** The upstream whose history was requested: a new first event makes new objects. */
  #requested: UpstreamState | undefined

  constructor(page: Page) {
    this.#page = page
    this.#users = new UpstreamUsers(page)
    const { detailTitle, detail } = page.places
    const name = element('span')
    this.#name = new TextCell(name)
    detailTitle.replaceChildren(this.#shape.node, name)
    const state = element('p', { class: 'detail-state' })
    this.#state = new TextCell(state)
    this.#health = new AttributeCell(state, 'data-health')
    const origin = element('p', { class: 'detail-origin' })
    this.#origin = new TextCell(origin)
    const breaker = element('p', { class: 'detail-breaker' })
    this.#breaker = new TextCell(breaker)
    const values = numbers.map(({ label }) => ({ label, value: element('dd') }))
    this.#cells = values.map(({ value }) => new TextCell(value))
    const list = element(
      'dl',
      { class: 'detail-now' },
      ...values.map(({ label, value }) => element('div', {}, element('dt', { text: label }), value)),
    )
    const hint = element('p', { class: 'detail-window', text: 'Last 10 s; permits, queued, origins and breaker: now' })
    const { host } = this.#users
    this.#body = element('div', {}, state, origin, breaker, hint, list, host, this.#charts.host, this.#table.host)
    detail.append(this.#body, this.#empty)
    page.onTheme(() => this.#charts.rebuild())
  }

  render(state: DashboardState): void {
    const upstream = state.selected
    this.#body.hidden = upstream === undefined
    this.#empty.hidden = upstream !== undefined
    if (upstream === undefined) return
    if (upstream !== this.#requested) {
      this.#requested = upstream
      this.#request(upstream, state).catch(() => {
        // Without the history, the charts show what comes from now on.
      })
    }
    this.#name.set(upstream.name)
    this.#shape.set(upstream.health)
    this.#health.set(upstream.health)
    this.#state.set(sentenceOf(upstream, state.at))
    this.#origin.set(`${upstream.info.origin} · ${upstream.info.operations.join(', ')}`)
    this.#breaker.set(breakerText(state.breakerChanges(upstream.name, mostChanges)))
    for (const [index, { text }] of numbers.entries()) this.#cells[index]?.set(text(upstream))
    this.#users.render(upstream, state)
    this.#data.fill(upstream, state.times, state.every)
    this.#charts.draw()
    this.#table.render(upstream, state.times, state.every)
  }

  /** Requests the series that the first event of a connection does not have. */
  async #request(upstream: UpstreamState, state: DashboardState): Promise<void> {
    const response = await this.#page.read(`/dashboard/upstreams/${encodeURIComponent(upstream.name)}`)
    if (!response.ok) return
    upstream.fill((await response.json()) as UpstreamHistory, state.times)
    this.#page.changed()
  }
}

function breakerText(changes: readonly BreakerChange[]): string {
  if (changes.length === 0) return ''
  return `Circuit breaker: ${changes.map(({ at, to }) => `${to} at ${clock(at)}`).join(', ')}`
}

function sentenceOf({ health, since, reason }: UpstreamState, at: number): string {
  const word = healthWords[health]
  const time = since === 0 || health === 'healthy' ? '' : ` since ${clock(since)} (${elapsed(at - since)})`
  return `${word}${time}${reason === '' ? '' : `: ${reason}`}`
}

function withLimit(permits: number, limit: number): string {
  return Number.isNaN(limit) ? String(permits) : `${permits} of ${limit}`
}
