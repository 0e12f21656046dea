import { clock, elapsed } from '../model/format.ts'
import type { Phase } from '../model/phase.ts'
import { element, TextCell } from './dom.ts'
import { place } from './shell.ts'

/** The message above the numbers while they are not live. */
export class Banner {
  readonly #place = place('banner')
  readonly #first: TextCell
  readonly #rest: TextCell
  readonly #retry = element('button', { class: 'primary', text: 'Try now', attributes: { type: 'button' } })
  readonly #reload = element('button', { class: 'primary', text: 'Reload', attributes: { type: 'button' } })

  constructor(retry: () => void) {
    const first = element('strong')
    this.#first = new TextCell(first)
    const rest = element('span')
    this.#rest = new TextCell(rest)
    this.#place.append(element('p', { class: 'banner-text' }, first, ' ', rest), this.#retry, this.#reload)
    this.#retry.addEventListener('click', retry)
    this.#reload.addEventListener('click', () => location.reload())
  }

  /** Writes the message; called in each second while the connection is not live. */
  show(phase: Phase, now: number, lastEventAt: number): void {
    const { name } = phase
    const hasNumbers = lastEventAt > 0
    const isLost = name === 'waiting' || name === 'lost' || (name === 'connecting' && hasNumbers)
    this.#place.hidden = !isLost && name !== 'outdated'
    this.#retry.hidden = name !== 'waiting'
    this.#reload.hidden = name !== 'outdated'
    if (name === 'outdated') {
      this.#first.set('The service has a new version.')
      this.#rest.set('Reload the page to see its numbers.')
    }
    if (!isLost) return
    this.#first.set(hasNumbers ? `No connection since ${clock(lastEventAt)}:` : 'No connection:')
    const age = hasNumbers ? ` The numbers below are ${elapsed(now - lastEventAt)} old.` : ''
    if (phase.name === 'connecting') return this.#rest.set(`${age.trimStart()} Connecting…`)
    const next = phase.name === 'waiting' ? ` Next try in ${elapsed(phase.tryAt - now + 999)}.` : ' Trying now…'
    this.#rest.set(`${phase.reason}.${age}${next}`)
  }
}
