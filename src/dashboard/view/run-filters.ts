import { countFilters, filterStates, noFilters, type FilterState, type RunFilters } from '../model/filters.ts'
import { element } from './dom.ts'
import { StateShape, stateWord } from './run-shapes.ts'

/** The time without a key press after which a text is taken, in ms. */
const typingMs = 250

/** The fields of the filters of the list of runs. */
export class RunFilterBar {
  readonly node: HTMLFormElement
  readonly #onChange: (filters: RunFilters) => void
  readonly #buttons: ReadonlyMap<FilterState, HTMLButtonElement>
  readonly #aggregate = selectOf('aggregate')
  readonly #upstream = selectOf('upstream')
  readonly #min = element('input', {
    id: 'run-min',
    attributes: { type: 'number', min: '0', step: 'any', inputmode: 'decimal', placeholder: '0' },
  })
  readonly #text = element('input', {
    id: 'run-text',
    attributes: { type: 'search', placeholder: 'Id, step or code', autocomplete: 'off', spellcheck: 'false' },
  })
  readonly #clear = element('button', {
    class: 'tool',
    text: 'Clear filters',
    hidden: true,
    attributes: { type: 'button' },
  })
  #filters: RunFilters = noFilters
  #timer: ReturnType<typeof setTimeout> | undefined

  /** @param onChange - Receives the filters after the user has changed them. */
  constructor(onChange: (filters: RunFilters) => void) {
    this.#onChange = onChange
    this.#buttons = new Map(filterStates.map(state => [state, this.#button(state)]))
    const states = element('div', { class: 'run-states', attributes: { role: 'group', 'aria-label': 'States' } })
    states.append(...this.#buttons.values())
    this.node = element(
      'form',
      { class: 'run-filters', attributes: { role: 'search', 'aria-label': 'Filter runs' } },
      states,
      field('Aggregate', this.#aggregate),
      field('Upstream', this.#upstream),
      field('Slower than, ms', this.#min),
      field('Text', this.#text),
      this.#clear,
    )
    this.node.addEventListener('submit', event => event.preventDefault())
    this.#aggregate.addEventListener('change', () => this.#change({ aggregate: this.#aggregate.value }))
    this.#upstream.addEventListener('change', () => this.#change({ upstream: this.#upstream.value }))
    this.#min.addEventListener('input', () => this.#later())
    this.#text.addEventListener('input', () => this.#later())
    this.#clear.addEventListener('click', () => {
      this.set(noFilters)
      this.#onChange(noFilters)
      this.#text.focus()
    })
  }

  /** Sets the names that can be chosen. */
  setNames(aggregates: readonly string[], upstreams: readonly string[]): void {
    setOptions(this.#aggregate, 'All aggregates', aggregates, this.#filters.aggregate)
    setOptions(this.#upstream, 'All upstreams', upstreams, this.#filters.upstream)
  }

  /** Shows filters in the fields. */
  set(filters: RunFilters): void {
    this.#filters = filters
    for (const [state, button] of this.#buttons)
      button.setAttribute('aria-pressed', String(filters.states.includes(state)))
    setOptions(this.#aggregate, 'All aggregates', undefined, filters.aggregate)
    setOptions(this.#upstream, 'All upstreams', undefined, filters.upstream)
    this.#min.value = filters.min === 0 ? '' : String(filters.min)
    this.#text.value = filters.text
    this.#clear.hidden = countFilters(filters) === 0
  }

  #button(state: FilterState): HTMLButtonElement {
    const button = element('button', { class: 'run-filter', attributes: { type: 'button', 'aria-pressed': 'false' } })
    button.append(new StateShape(state).node, stateWord(state))
    button.addEventListener('click', () => {
      const states = filterStates.filter(each => this.#filters.states.includes(each) !== (each === state))
      this.#change({ states })
    })
    return button
  }

  #later(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      const min = this.#min.valueAsNumber
      this.#change({ min: min >= 0 ? min : 0, text: this.#text.value })
    }, typingMs)
  }

  #change(changed: Partial<RunFilters>): void {
    this.#filters = { ...this.#filters, ...changed }
    for (const [state, button] of this.#buttons)
      button.setAttribute('aria-pressed', String(this.#filters.states.includes(state)))
    this.#clear.hidden = countFilters(this.#filters) === 0
    this.#onChange(this.#filters)
  }
}

function selectOf(name: string): HTMLSelectElement {
  return element('select', { id: `run-${name}` })
}

function field(label: string, control: HTMLElement): HTMLElement {
  const title = element('label', { text: label, attributes: { for: control.id } })
  return element('div', { class: 'run-field' }, title, control)
}

/**
 * Sets the options of a field. A chosen name stays an option, although no upstream or aggregate may have it any more.
 *
 * @param names - The names; undefined for those that the field has.
 */
function setOptions(
  select: HTMLSelectElement,
  all: string,
  names: readonly string[] | undefined,
  chosen: string,
): void {
  const values = names ?? Array.from(select.options, ({ value }) => value).filter(value => value !== '')
  const shown = chosen === '' || values.includes(chosen) ? values : [...values, chosen]
  const options = shown.map(value => element('option', { text: value, attributes: { value } }))
  select.replaceChildren(element('option', { text: all, attributes: { value: '' } }), ...options)
  select.value = chosen
}
