import { elapsed, moment } from '../model/format.ts'
import type { DashboardState } from '../model/state.ts'
import { element, TextCell } from './dom.ts'
import { place, type Page, type View } from './shell.ts'

/** The notice below the verdict that the last reload of the definitions was refused. */
export class RefusedReloadView implements View {
  readonly #page: Page
  readonly #place = place('reload-refused')
  readonly #text: TextCell
  #shownAt = 0

  constructor(page: Page) {
    this.#page = page
    const text = element('span')
    this.#text = new TextCell(text)
    this.#place.append(
      element('span', { class: 'reload-sign', text: '!', attributes: { 'aria-hidden': 'true' } }),
      element('span', {}, element('strong', { text: 'Reload refused' }), text),
    )
  }

  render({ refused, at }: DashboardState): void {
    this.#place.hidden = refused === undefined
    if (refused === undefined) return
    const faults = refused.faults === 1 ? '1 fault' : `${refused.faults} faults`
    const rest = 'The previous definitions are still served; the log has the faults.'
    this.#text.set(` at ${moment(refused.at, at)} (${elapsed(at - refused.at)} ago), with ${faults}. ${rest}`)
    if (refused.at === this.#shownAt) return
    this.#shownAt = refused.at
    this.#page.announce(`A reload was refused, with ${faults}. ${rest}`)
  }
}
