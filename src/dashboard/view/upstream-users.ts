import type { AggregateState } from '../model/aggregate-state.ts'
import { share } from '../model/format.ts'
import type { DashboardState } from '../model/state.ts'
import type { UpstreamState } from '../model/upstream-state.ts'
import { AttributeCell, element, TextCell } from './dom.ts'
import type { Page } from './shell.ts'

/** The number of aggregates that are shown; the others are counted. */
const mostUsers = 8

interface User {
  readonly aggregate: AggregateState
  readonly text: TextCell
  readonly state: AttributeCell
}

/** The aggregates that use the selected upstream, and what their callers get. */
export class UpstreamUsers {
  readonly host = element('div', { class: 'users' })
  readonly #page: Page
  #users: readonly User[] = []
  #built = ''
  #names: readonly string[] = []

  constructor(page: Page) {
    this.#page = page
  }

  render(upstream: UpstreamState, { aggregates, namesRevision, keptRuns }: DashboardState): void {
    const built = `${namesRevision} ${upstream.index}`
    if (built !== this.#built || upstream.users !== this.#names) {
      this.#built = built
      this.#names = upstream.users
      this.#build(upstream, aggregates, keptRuns)
    }
    for (const { aggregate, text, state } of this.#users) {
      text.set(replies(aggregate))
      state.set(aggregate.failed > 0 ? 'failed' : aggregate.partial > 0 ? 'partial' : 'complete')
    }
  }

  #build({ users, name }: UpstreamState, aggregates: readonly AggregateState[], keptRuns: boolean): void {
    const used = aggregates.filter(aggregate => users.includes(aggregate.name))
    const list = element('ul', { attributes: { 'aria-label': `Aggregates that use ${name}` } })
    this.#users = used.slice(0, mostUsers).map(aggregate => {
      const button = element('button', { class: 'name', text: aggregate.name, attributes: { type: 'button' } })
      button.addEventListener('click', () => this.#page.showAggregate(aggregate.name))
      const text = element('span', { class: 'user-replies' })
      list.append(element('li', {}, button, ' ', text))
      return { aggregate, text: new TextCell(text), state: new AttributeCell(text, 'data-state') }
    })
    const more = used.length - this.#users.length
    if (more > 0) list.append(element('li', { class: 'user-more', text: `and ${more} more` }))
    this.host.replaceChildren(
      element('h3', { text: 'Callers get' }),
      used.length === 0 ? element('p', { class: 'soft', text: noUsers(keptRuns) }) : list,
    )
  }
}

// Kept runs show which upstreams an aggregate calls.
const noUsers = (keptRuns: boolean) => (keptRuns ? 'No aggregate has called it yet.' : 'Not known: KEPT_RUNS is 0.')

/** Returns what the callers of an aggregate got in the last 10 s. */
function replies({ runs, partial, failed, topCode, topStatus }: AggregateState): string {
  if (runs === 0) return 'no runs'
  const reason = [topStatus, topCode].filter(part => part !== null).join(' ')
  const parts = [
    ...(failed > 0 ? [`${share(failed / runs)} errors`] : []),
    ...(partial > 0 ? [`${share(partial / runs)} partial replies`] : []),
  ]
  if (parts.length === 0) return 'complete replies'
  return parts.join(', ') + (reason === '' ? '' : ` (${reason})`)
}
