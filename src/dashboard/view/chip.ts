import { rate } from '../model/format.ts'
import type { UpstreamState } from '../model/upstream-state.ts'
import { AttributeCell, element, TextCell } from './dom.ts'
import { titleOf, type Selection } from './selection.ts'
import { HealthShape, healthWords } from './shapes.ts'

/** The button of an upstream that needs no look, where a page has many. */
export class Chip {
  readonly node = element('li', { class: 'chip-place' })
  readonly button = element('button', { class: 'chip', attributes: { type: 'button' } })
  readonly #shape = new HealthShape('healthy')
  readonly #health = new AttributeCell(this.button, 'data-health')
  readonly #pressed = new AttributeCell(this.button, 'aria-pressed')
  readonly #title = new AttributeCell(this.button, 'title')
  readonly #word: TextCell
  readonly #rate: TextCell

  constructor(name: string) {
    const { button } = this
    button.dataset.name = name
    const word = element('span', { class: 'unseen' })
    this.#word = new TextCell(word)
    const perSecond = element('span', { class: 'chip-rate' })
    this.#rate = new TextCell(perSecond)
    button.append(this.#shape.node, element('span', { class: 'chip-name', text: name }), ' ', word, ' ', perSecond)
    this.node.append(button)
  }

  render(upstream: UpstreamState, selection: Selection): void {
    const { health, rate: perSecond } = upstream
    this.#shape.set(health)
    this.#health.set(health)
    this.#pressed.set(String(selection !== 'none'))
    this.#title.set(titleOf(upstream, selection))
    this.#word.set(`${healthWords[health]},`)
    this.#rate.set(perSecond === 0 ? '' : `${rate(perSecond)}/s`)
  }
}
