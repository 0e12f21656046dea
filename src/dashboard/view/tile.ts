import { availableOf, clock, elapsed, latency, rate, share } from '../model/format.ts'
import type { Health } from '../protocol.ts'
import type { UpstreamState } from '../model/upstream-state.ts'
import { AttributeCell, element, TextCell } from './dom.ts'
import { titleOf, type Selection } from './selection.ts'
import { HealthShape, healthWords } from './shapes.ts'
import { Sparkline } from './sparkline.ts'

/** The smallest width of a shape, as a part of the width for the most traffic, which style.css sets. */
const smallest = 0.17
/** A shape with a sign in it is large enough to show it. */
const smallestSign = 0.5

const breakerWords = { none: 'no breaker', closed: 'closed', 'half-open': 'half-open', open: 'open' } as const

/** The button of one upstream with its numbers. */
export class Tile {
  readonly node = element('li', { class: 'tile-place' })
  readonly button = element('button', { class: 'tile', attributes: { type: 'button' } })
  readonly #shape = new HealthShape('idle')
  readonly #spark = new Sparkline()
  readonly #health: AttributeCell
  readonly #pressed: AttributeCell
  readonly #title = new AttributeCell(this.button, 'title')
  readonly #word: TextCell
  readonly #since: TextCell
  readonly #origins: TextCell
  readonly #reason: TextCell
  readonly #errors: TextCell
  readonly #attempts: TextCell
  readonly #p95: TextCell
  readonly #breaker: TextCell
  readonly #breakerState: AttributeCell
  #size = 0

  constructor(name: string) {
    const { button } = this
    this.#health = new AttributeCell(button, 'data-health')
    this.#pressed = new AttributeCell(button, 'aria-pressed')
    button.dataset.name = name
    const word = element('span', { class: 'tile-word' })
    this.#word = new TextCell(word)
    const since = element('span', { class: 'tile-since' })
    this.#since = new TextCell(since)
    const origins = element('span', { class: 'tile-origins' })
    this.#origins = new TextCell(origins)
    const reason = element('span', { class: 'tile-reason' })
    this.#reason = new TextCell(reason)
    const errors = element('b')
    this.#errors = new TextCell(errors)
    const attempts = element('b')
    this.#attempts = new TextCell(attempts)
    const p95 = element('b')
    this.#p95 = new TextCell(p95)
    const breaker = element('b', { class: 'breaker' })
    this.#breaker = new TextCell(breaker)
    this.#breakerState = new AttributeCell(breaker, 'data-breaker')
    button.append(
      element('span', { class: 'tile-shape' }, this.#shape.node),
      element(
        'span',
        { class: 'tile-head' },
        element('span', { class: 'tile-name', text: name }),
        element('span', { class: 'tile-state' }, word, ' ', since, ' ', origins),
        reason,
      ),
      element(
        'span',
        { class: 'tile-numbers' },
        number(errors, 'errors', 'tile-errors'),
        number(attempts, 'attempts/s'),
        number(p95, 'p95'),
        number(breaker, 'breaker'),
      ),
      this.#spark.node,
    )
    this.node.append(button)
  }

  render(upstream: UpstreamState, at: number, busiest: number, selection: Selection): void {
    const { health, since, breaker } = upstream
    this.#health.set(health)
    this.#pressed.set(String(selection !== 'none'))
    this.#title.set(titleOf(upstream, selection))
    this.#shape.set(health)
    this.#resize(health, upstream.traffic, busiest)
    this.#word.set(healthWords[health])
    const isOther = since > 0 && health !== 'healthy'
    this.#since.set(isOther ? `since ${clock(since)}` : '')
    this.#reason.set(isOther ? [elapsed(at - since), upstream.reason].filter(Boolean).join(' · ') : upstream.reason)
    this.#origins.set(upstream.origins === undefined ? '' : `${availableOf(upstream.origins)} origins`)
    this.#errors.set(share(upstream.errorShare))
    this.#attempts.set(rate(upstream.rate))
    this.#p95.set(latency(upstream.p95))
    this.#breaker.set(breakerWords[breaker])
    this.#breakerState.set(breaker)
    this.#spark.draw(upstream.series.attempts, upstream.series.failed)
  }

  // The area means the traffic, so the width grows with its root.
  #resize(health: Health, perSecond: number, busiest: number): void {
    const width = busiest === 0 ? 0 : Math.sqrt(perSecond / busiest)
    const least = health === 'failing' || health === 'strained' ? smallestSign : smallest
    const size = Math.max(least, Math.round(width * 50) / 50)
    if (size === this.#size) return
    this.#size = size
    this.#shape.node.style.width = this.#shape.node.style.height = `${size}em`
  }
}

const number = (value: HTMLElement, label: string, extra = '') =>
  element('span', { class: `number ${extra}` }, value, ' ', element('span', { class: 'label', text: label }))
