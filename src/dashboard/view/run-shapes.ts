import { drawing } from './dom.ts'

/** The words of the states of runs and of steps, as the page shows them. */
const words: ReadonlyMap<string, string> = new Map([
  ['complete', 'Complete'],
  ['partial', 'Partial'],
  ['failed', 'Failed'],
  ['cancelled', 'Cancelled'],
  ['slow', 'Slow'],
  ['ok', 'OK'],
  ['stale', 'Stale'],
  ['fallback', 'Fallback'],
  ['skipped', 'Skipped'],
])

/** Returns the word of a state. */
export function stateWord(state: string): string {
  return words.get(state) ?? state
}

const circle = 'M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13Z'
const ring = `${circle}M8 3.7a4.3 4.3 0 1 1 0 8.6a4.3 4.3 0 1 1 0-8.6Z`
const half = 'M8 1.5a6.5 6.5 0 1 0 0 13Zm0 2.2a4.3 4.3 0 0 1 0 8.6v2.2a6.5 6.5 0 0 0 0-13Z'
const octagon = 'M5.3 1.2h5.4l4.1 4.1v5.4l-4.1 4.1H5.3l-4.1-4.1V5.3Z'
const forms: Readonly<Record<string, string>> = {
  complete: circle,
  ok: circle,
  partial: half,
  fallback: half,
  stale: half,
  failed: octagon,
  cancelled: ring,
  slow: ring,
  skipped: ring,
}
const signs: Readonly<Record<string, string>> = {
  failed: 'M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8',
  cancelled: 'M5.5 8h5',
  slow: 'M8 5.4V8l1.8 1.2',
}

/** A drawing of the state of a run or of a step. The word of the state is beside it. */
export class StateShape {
  readonly node = drawing('svg', {
    class: 'state-shape',
    viewBox: '0 0 16 16',
    'aria-hidden': 'true',
    focusable: 'false',
  })
  readonly #form = drawing('path', { class: 'state-form', 'fill-rule': 'evenodd' })
  readonly #sign = drawing('path', { class: 'state-sign' })
  #state = ''

  constructor(state?: string) {
    this.node.append(this.#form, this.#sign)
    if (state !== undefined) this.set(state)
  }

  set(state: string): void {
    if (state === this.#state) return
    this.#state = state
    this.node.setAttribute('data-state', state)
    this.#form.setAttribute('d', forms[state] ?? ring)
    this.#sign.setAttribute('d', signs[state] ?? '')
  }
}
