import type { KeptRun } from '../../waterfall/kept-run.ts'
import { timeText } from '../../waterfall/axis.ts'
import { clock } from '../model/format.ts'
import { visibleText } from '../model/visible-text.ts'
import { element } from './dom.ts'
import { StateShape, stateWord } from './run-shapes.ts'
import type { Page } from './shell.ts'
import { waterfall } from './waterfall.ts'

export interface OpenRunOptions {
  /** Closes the run. */
  readonly onClose: () => void
  /** Opens another run. */
  readonly onOpen: (id: string) => void
  /** Returns the address of a run. */
  readonly addressOf: (id: string) => string
}

/** The open run: its reply, why it was slow or incomplete, and its waterfall. */
export class OpenRun {
  readonly node = element('section', { class: 'open-run', hidden: true, attributes: { 'aria-labelledby': 'open-run' } })
  readonly #page: Page
  readonly #options: OpenRunOptions
  readonly #title = element('h3', { id: 'open-run', attributes: { tabindex: '-1' } })
  readonly #body = element('div', { class: 'open-run-body' })
  /** The id of the run that is shown or read; undefined if no run is open. */
  #id: string | undefined

  constructor(page: Page, options: OpenRunOptions) {
    this.#page = page
    this.#options = options
    const close = element('button', { class: 'tool', text: 'Close', attributes: { type: 'button' } })
    close.addEventListener('click', options.onClose)
    this.node.append(element('header', { class: 'open-run-head' }, this.#title, close), this.#body)
    this.node.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') options.onClose()
    })
  }

  /**
   * Reads a run and shows it.
   *
   * @param isAsked - True if the user has just chosen it: the focus goes to the run, and the page scrolls to it.
   */
  show(id: string, isAsked: boolean): void {
    if (id !== this.#id) {
      this.#id = id
      this.#title.textContent = 'Run'
      this.#body.replaceChildren(element('p', { class: 'open-run-note', text: 'Reading the run…' }))
      void this.#read(id)
    }
    this.node.hidden = false
    if (!isAsked) return
    this.#title.focus({ preventScroll: true })
    this.node.scrollIntoView({ block: 'nearest' })
  }

  close(): void {
    this.#id = undefined
    this.node.hidden = true
    this.#body.replaceChildren()
  }

  async #read(id: string): Promise<void> {
    try {
      const response = await this.#page.read(`/requests/${encodeURIComponent(id)}`)
      const run = response.ok ? ((await response.json()) as KeptRun) : undefined
      if (id !== this.#id) return
      if (run !== undefined) this.#write(run)
      else if (response.status === 404)
        this.#fail('This run is not kept any more. Slow, partial and failed runs stay longest.')
      else this.#fail(`The service answered ${response.status}.`)
    } catch {
      if (id === this.#id) this.#fail('The service does not answer.')
    }
  }

  #fail(sentence: string): void {
    const id = this.#id
    const again = element('button', { class: 'tool', text: 'Try again', attributes: { type: 'button' } })
    again.addEventListener('click', () => {
      this.#id = undefined
      if (id !== undefined) this.show(id, true)
    })
    this.#body.replaceChildren(element('p', { class: 'open-run-note', text: sentence }), again)
  }

  #write(run: KeptRun): void {
    this.#title.replaceChildren(new StateShape(run.state).node, element('span', { text: run.aggregate }))
    this.#body.replaceChildren(
      summary(run),
      element('p', { class: 'open-run-target', text: `${run.method} ${visibleText(run.target)}` }),
      ...(run.why.length === 0 ? [] : [reasons(run.why)]),
      waterfall(run),
      this.#facts(run),
    )
    this.node.dataset['state'] = run.state
    this.node.scrollIntoView({ block: 'nearest' })
  }

  #facts({ id, requestId, traceId, worker, at, stream, parent }: KeptRun): HTMLElement {
    const started = Date.parse(at)
    const parts: readonly (readonly [string, string | HTMLElement | null])[] = [
      ['Started', `${clock(started)}.${String(started % 1000).padStart(3, '0')}`],
      ['Run', id],
      ['Request', requestId === null ? null : visibleText(requestId)],
      ['Trace', traceId],
      ['Worker', worker === null ? null : String(worker)],
      ['Stream', stream],
      ['Part of', parent === null ? null : this.#link(parent)],
    ]
    const list = element('dl', { class: 'open-run-facts' })
    for (const [name, value] of parts) {
      if (value === null) continue
      list.append(element('div', {}, element('dt', { text: name }), element('dd', {}, value)))
    }
    return list
  }

  #link(id: string): HTMLElement {
    const link = element('a', { text: id, attributes: { href: this.#options.addressOf(id) } })
    link.addEventListener('click', event => {
      event.preventDefault()
      this.#options.onOpen(id)
    })
    return link
  }
}

function summary({ state, status, code, ms, deadline, caller, isSlow }: KeptRun): HTMLElement {
  const ends = { waited: [], left: ['the caller left'], cut: ['the caller did not read'] }[caller]
  const texts = [
    ...(status === null ? [] : [`status ${status}`]),
    ...(code === null ? [] : [code]),
    `${timeText(ms)}; deadline ${timeText(deadline)}`,
    ...(isSlow ? ['one of the slowest'] : []),
    ...ends,
  ]
  return element(
    'p',
    { class: 'open-run-summary' },
    element('strong', { text: stateWord(state) }),
    ...texts.map(text => element('span', { text })),
  )
}

function reasons(why: readonly string[]): HTMLElement {
  const list = element('ul', {}, ...why.map(text => element('li', { text: visibleText(text) })))
  return element('div', { class: 'open-run-why' }, element('h4', { text: 'Why' }), list)
}
