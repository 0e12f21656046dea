import { clock } from '../model/format.ts'
import type { DashboardState } from '../model/state.ts'
import type { VerdictPart } from '../protocol.ts'
import { AttributeCell, element, TextCell } from './dom.ts'
import { HealthShape } from './shapes.ts'
import type { Page, View } from './shell.ts'

/** The state of the service in a sentence; names in it are buttons. */
export class VerdictView implements View {
  readonly #page: Page
  readonly #shape = new HealthShape('idle')
  readonly #text = element('div', { class: 'verdict-text' })
  readonly #health: AttributeCell
  readonly #hint = element('p', { class: 'verdict-more soft', hidden: true })
  readonly #hintText = new TextCell(this.#hint)
  /** The kinds and names of the parts that the elements have: the elements stay as long as these are the same. */
  #form: string | undefined
  #cells: TextCell[] = []
  #isPressed = false

  constructor(page: Page) {
    this.#page = page
    const { verdict } = page.places
    this.#health = new AttributeCell(verdict, 'data-health')
    const words = element('div', {}, this.#text, this.#hint)
    verdict.append(element('span', { class: 'verdict-shape' }, this.#shape.node), words)
    this.#text.addEventListener('click', ({ target }) => this.#follow(target))
    this.#text.addEventListener('pointerdown', ({ button }) => (this.#isPressed = button === 0))
    for (const end of ['pointerup', 'pointercancel']) window.addEventListener(end, () => (this.#isPressed = false))
  }

  render({ verdict: { health, sentences }, aggregates, runs }: DashboardState): void {
    this.#shape.set(health)
    this.#health.set(health)
    const [first] = aggregates
    this.#hint.hidden = health !== 'idle' || first === undefined || runs.rows.length > 0
    if (first !== undefined)
      this.#hintText.set(`Call an aggregate to see it here, for example ${first.info.method} ${first.info.url}.`)
    // A button that is pressed stays until it is released.
    if (this.#isPressed) return
    const form = sentences.map(parts => parts.map(formOf).join()).join('|')
    if (form !== this.#form) {
      this.#form = form
      this.#build(sentences)
    }
    let index = 0
    for (const parts of sentences)
      for (const { text, at } of parts) this.#cells[index++]?.set(at === undefined ? text : clock(at))
  }

  #build(sentences: readonly (readonly VerdictPart[])[]): void {
    this.#cells = []
    const lines = sentences.map((parts, index) =>
      element('p', { class: index === 0 ? 'verdict-first' : 'verdict-more' }, ...parts.map(part => this.#part(part))),
    )
    const focused = this.#text.contains(document.activeElement) ? keyOf(document.activeElement) : ''
    this.#text.replaceChildren(...lines)
    if (focused !== '')
      Array.from(this.#text.querySelectorAll('button'))
        .find(button => keyOf(button) === focused)
        ?.focus({ preventScroll: true })
  }

  #part({ upstream, aggregate }: VerdictPart): HTMLElement {
    const isName = upstream !== undefined || aggregate !== undefined
    const node = isName ? element('button', { class: 'name', attributes: { type: 'button' } }) : element('span')
    if (upstream !== undefined) node.dataset.upstream = upstream
    if (aggregate !== undefined) node.dataset.aggregate = aggregate
    this.#cells.push(new TextCell(node))
    return node
  }

  #follow(target: EventTarget | null): void {
    const { upstream, aggregate } = (target instanceof HTMLElement && target.dataset) || {}
    if (upstream !== undefined) this.#page.select(upstream)
    else if (aggregate !== undefined) this.#page.showAggregate(aggregate)
  }
}

const keyOf = (node: Element | null) => (node instanceof HTMLElement ? formOf(node.dataset) : '')

const formOf = ({ upstream, aggregate }: Partial<Record<'upstream' | 'aggregate', string>>) =>
  upstream !== undefined ? `u${upstream}` : aggregate !== undefined ? `a${aggregate}` : ''
