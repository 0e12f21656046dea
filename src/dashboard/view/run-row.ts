import type { RunRow } from '../../waterfall/kept-run.ts'
import { timeText } from '../../waterfall/axis.ts'
import { clock } from '../model/format.ts'
import { AttributeCell, element, TextCell } from './dom.ts'
import { StateShape, stateWord } from './run-shapes.ts'

/** One row of the list of runs. It is used again for another run when its run leaves the list. */
export class RunRowView {
  readonly node: HTMLLIElement
  readonly link: HTMLAnchorElement
  readonly #shape = new StateShape()
  readonly #state: TextCell
  readonly #name: TextCell
  readonly #lost: TextCell
  readonly #status: TextCell
  readonly #ms: TextCell
  readonly #at: TextCell
  readonly #slow: HTMLElement
  readonly #dataState: AttributeCell
  #run: RunRow | undefined

  constructor() {
    const cell = (name: string) => element('span', { class: `run-${name}` })
    const [state, word, name, lost, status, ms, at] = (
      ['state', 'word', 'name', 'lost', 'status', 'ms', 'at'] as const
    ).map(cell) as [HTMLElement, HTMLElement, HTMLElement, HTMLElement, HTMLElement, HTMLElement, HTMLElement]
    this.#slow = element('span', { class: 'run-slow', text: 'slow', hidden: true })
    state.append(this.#shape.node, word)
    // Between the cells, a comma for screen readers.
    const pause = () => element('span', { class: 'unseen', text: ', ' })
    this.link = element('a', { class: 'run-link' })
    this.link.append(state, pause(), name, pause(), lost, pause(), status, pause(), ms, pause(), at)
    this.node = element('li', { class: 'run' }, this.link)
    this.#state = new TextCell(word)
    this.#name = new TextCell(name)
    lost.append(this.#slow)
    this.#lost = new TextCell(lost)
    this.#status = new TextCell(status)
    this.#ms = new TextCell(ms)
    this.#at = new TextCell(at)
    this.#dataState = new AttributeCell(this.link, 'data-state')
  }

  /** Shows a run. */
  set(run: RunRow): void {
    if (run === this.#run) return
    this.#run = run
    this.link.dataset['run'] = run.id
    this.#dataState.set(run.state)
    this.#shape.set(run.state)
    this.#state.set(stateWord(run.state))
    this.#name.set(run.aggregate)
    this.#lost.set(lostText(run))
    this.#status.set(run.status === null ? '' : String(run.status))
    this.#ms.set(timeText(run.ms))
    this.#slow.hidden = !run.isSlow
    this.#at.set(clock(Date.parse(run.at)))
  }

  /** Sets the address of the run, which has the filters of the page, and marks the open run. */
  setAddress(address: string, isOpen: boolean): void {
    if (this.link.getAttribute('href') !== address) this.link.setAttribute('href', address)
    if (isOpen) this.link.setAttribute('aria-current', 'true')
    else this.link.removeAttribute('aria-current')
  }
}

/** Returns the steps that a run lost, with their codes; the code of the run, if no step explains it. */
function lostText({ lost, code, caller }: RunRow): string {
  const [first, ...others] = lost
  const left = { waited: '', left: 'The caller left', cut: 'The caller did not read' }[caller]
  if (first === undefined) return code ?? left
  const more = others.length === 0 ? '' : `, and ${others.length} more`
  return `${first.step} ${first.code}${more}`
}
