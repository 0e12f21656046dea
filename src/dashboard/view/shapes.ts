import type { Health } from '../protocol.ts'
import { drawing } from './dom.ts'

/** The word of each health, as the page shows it. */
export const healthWords: Readonly<Record<Health, string>> = {
  healthy: 'Healthy',
  strained: 'Strained',
  failing: 'Failing',
  idle: 'Idle',
  off: 'Off',
}

/** The sign of each health in a text, such as the title of the tab. */
export const healthSigns: Readonly<Record<Health, string>> = {
  healthy: '●',
  strained: '▲',
  failing: '✖',
  idle: '○',
  off: '⊘',
}

// All have about the same area in a square of 24, so that a size means the same in each of them.
const forms: Readonly<Record<Health, string>> = {
  healthy: 'M12 2a10 10 0 1 0 0 20a10 10 0 1 0 0-20Z',
  strained: 'M10.6 2.4a1.6 1.6 0 0 1 2.8 0l10 17.8a1.6 1.6 0 0 1-1.4 2.4H2a1.6 1.6 0 0 1-1.4-2.4Z',
  failing: 'M8 1.8h8L22.2 8v8L16 22.2H8L1.8 16V8Z',
  idle: 'M12 2a10 10 0 1 0 0 20a10 10 0 1 0 0-20Zm0 3.2a6.8 6.8 0 1 1 0 13.6a6.8 6.8 0 1 1 0-13.6Z',
  off:
    'M12 2a10 10 0 1 0 0 20a10 10 0 1 0 0-20Zm0 3a7 7 0 0 1 4.2 1.4L6.4 16.2A7 7 0 0 1 12 5Z' +
    'm5.6 2.8a7 7 0 0 1-9.8 9.8Z',
}
const signs: Readonly<Record<Health, string>> = {
  healthy: '',
  strained: 'M12 8.6v6M12 18v.6',
  failing: 'M8.2 8.2l7.6 7.6M15.8 8.2l-7.6 7.6',
  idle: '',
  off: '',
}

/** A drawing of a health: its shape, and a sign in it. It has no meaning for screen readers: the word is beside it. */
export class HealthShape {
  readonly node = drawing('svg', { class: 'shape', viewBox: '0 0 24 24', 'aria-hidden': 'true', focusable: 'false' })
  readonly #form = drawing('path', { class: 'shape-form', 'fill-rule': 'evenodd' })
  readonly #sign = drawing('path', { class: 'shape-sign' })
  #health: Health | undefined

  constructor(health: Health) {
    this.node.append(this.#form, this.#sign)
    this.set(health)
  }

  set(health: Health): void {
    if (health === this.#health) return
    this.#health = health
    this.node.setAttribute('data-health', health)
    this.#form.setAttribute('d', forms[health])
    this.#sign.setAttribute('d', signs[health])
  }
}
