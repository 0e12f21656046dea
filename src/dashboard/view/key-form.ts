import type { Phase } from '../model/phase.ts'
import { element, TextCell } from './dom.ts'
import { place } from './shell.ts'

/** The form for the key of the operator, and the message of a service that serves no dashboard. */
export class Gate {
  readonly #place = place('gate')
  readonly #main = place('main')
  readonly #form: HTMLFormElement
  readonly #off: HTMLElement
  readonly #field = element('input', {
    id: 'key',
    attributes: {
      type: 'password',
      autocomplete: 'off',
      spellcheck: 'false',
      required: '',
      'aria-describedby': 'key-help key-error',
    },
  })
  readonly #error: TextCell

  constructor(unlock: (key: string) => void, retry: () => void) {
    const error = element('p', { id: 'key-error', class: 'gate-error', attributes: { role: 'alert' } })
    this.#error = new TextCell(error)
    this.#form = element(
      'form',
      { class: 'gate-card' },
      element('h2', { text: 'Key of the operator' }),
      element('label', { attributes: { for: 'key' }, text: 'This dashboard is protected by ADMIN_KEY.' }),
      this.#field,
      error,
      element('button', { class: 'primary', text: 'Open the dashboard' }),
      element('p', {
        id: 'key-help',
        class: 'gate-help',
        text: 'The key is sent to this service only. The browser forgets it when you close the tab.',
      }),
    )
    this.#form.addEventListener('submit', event => {
      event.preventDefault()
      unlock(this.#field.value)
      this.#field.value = ''
    })
    const again = element('button', { class: 'primary', text: 'Try again', attributes: { type: 'button' } })
    again.addEventListener('click', retry)
    this.#off = element(
      'div',
      { class: 'gate-card' },
      element('h2', { text: 'The dashboard is switched off' }),
      element('p', { text: 'Start the service with DASHBOARD=on to see it here.' }),
      again,
    )
    this.#place.append(this.#form, this.#off)
  }

  show(phase: Phase): void {
    const isLocked = phase.name === 'locked'
    const isOff = phase.name === 'off'
    const wasLocked = !this.#place.hidden && !this.#form.hidden
    this.#form.hidden = !isLocked
    this.#off.hidden = !isOff
    this.#place.hidden = !isLocked && !isOff
    // Old numbers are not for a reader whose key the service has not accepted.
    if (isLocked || isOff) this.#main.hidden = true
    else if (phase.name === 'live') this.#main.hidden = false
    if (!isLocked) return
    this.#error.set(phase.isRefused ? 'The service did not accept this key.' : '')
    if (!wasLocked || phase.isRefused) this.#field.focus()
  }
}
