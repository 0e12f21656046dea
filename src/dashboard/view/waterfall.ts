import { axisOf, tickText, timeText, type Axis } from '../../waterfall/axis.ts'
import type { KeptCall, KeptRun } from '../../waterfall/kept-run.ts'
import { sentenceOfCall, sentenceOfRun, sentenceOfStep } from '../../waterfall/sentences.ts'
import { isNotable, notableCalls, rowsOf, type CallRow, type StepRow } from '../../waterfall/timeline-rows.ts'
import { timelineOf } from '../../waterfall/timeline.ts'
import { visibleText } from '../model/visible-text.ts'
import { drawing, element } from './dom.ts'
import { drawnBars, legend, patterns } from './drawn-bars.ts'
import { StateShape, stateWord } from './run-shapes.ts'

/** The largest number of calls of a step that are shown at first. */
const mostCalls = 20
const mostTicks = 4

/**
 * Creates the waterfall of a run: a list of its steps and their calls, each with a sentence, and beside them their bars
 * on one time axis. The bars are a picture of the sentences.
 */
export function waterfall(run: KeptRun): HTMLElement {
  const timeline = timelineOf(run)
  const axis = axisOf(timeline, mostTicks)
  const rows = rowsOf(timeline, ({ calls }) => calls)
  const steps = rows.filter(row => row.type === 'step')
  const callRows = new Map<KeptCall, CallRow>()
  for (const row of rows) if (row.type === 'call') callRows.set(row.call, row)
  const list = element('ol', { class: 'fall-steps', attributes: { 'aria-label': sentenceOfRun(run) } })
  for (const row of steps) list.append(stepItem(row, axis, call => callRows.get(call) as CallRow))
  const { calls, entries } = run.omitted
  const notes = [
    ...(calls === 0 ? [] : [`${calls} more calls were not kept.`]),
    ...(entries === 0 ? [] : [`${entries} attempts, waits and marks of these calls were not kept.`]),
  ]
  return element(
    'div',
    { class: 'fall', attributes: { 'data-end': String(axis.end) } },
    patterns(),
    axisLine(axis),
    list,
    ...notes.map(text => element('p', { class: 'fall-note', text })),
    legend(rows),
  )
}

/** Draws the labels of the axis. */
function axisLine({ end, ticks, deadline }: Axis): HTMLElement {
  const low = deadline === undefined ? 11 : 24
  const plot = drawing('svg', {
    class: 'fall-axis',
    height: String(low + 5),
    'aria-hidden': 'true',
    focusable: 'false',
  })
  const label = (at: number, text: string, kind: string) => {
    const share = at / end
    const anchor = share < 0.05 ? 'start' : share > 0.95 ? 'end' : 'middle'
    const words = drawing('text', {
      x: `${share * 100}%`,
      y: String(kind === 'deadline' ? 10 : low),
      'text-anchor': anchor,
    })
    words.setAttribute('class', `fall-${kind}-label`)
    words.textContent = text
    plot.append(words)
  }
  label(0, '0', 'tick')
  // The last tick leaves room for the end of the axis.
  for (const tick of ticks) if (tick < end * 0.86) label(tick, tickText(tick), 'tick')
  label(end, timeText(end), 'tick')
  if (deadline !== undefined) label(deadline, `deadline ${timeText(deadline)}`, 'deadline')
  return element('div', { class: 'fall-row fall-head' }, element('span'), plot, element('span'))
}

function stepItem(row: StepRow, axis: Axis, rowOf: (call: KeptCall) => CallRow): HTMLElement {
  const { step } = row
  const { name, kind, needs, state, code, start, end, fault, calls } = step
  const label = element(
    'span',
    { class: 'fall-label' },
    element('span', { class: 'fall-name' }, new StateShape(state).node, element('strong', { text: name })),
    element('span', {
      class: 'fall-kind',
      text: [stateWord(state), kind, ...(needs.length === 0 ? [] : [`after ${needs.join(', ')}`])].join(' · '),
    }),
    ...(code === null ? [] : [element('span', { class: 'fall-code', text: code })]),
    ...(fault === null ? [] : [element('span', { class: 'fall-fault', text: `rehearsed: ${fault}` })]),
  )
  label.setAttribute('aria-hidden', 'true')
  const ms = element('span', {
    class: 'fall-ms',
    text: start === null || end === null ? '–' : timeText(end - start),
    attributes: { 'aria-hidden': 'true' },
  })
  const words = element('span', { class: 'unseen', text: sentenceOfStep(step) })
  const line = [label, drawnBars(row, axis), ms, words]
  const item = element('li', { class: 'fall-step', attributes: { 'data-step': name, 'data-state': state } })
  if (calls.length === 0) {
    item.append(element('div', { class: 'fall-row' }, ...line))
    return item
  }
  const details = element('details', {}, element('summary', { class: 'fall-row' }, ...line))
  const shown = notableCalls(step, mostCalls)
  const list = element('ol', { class: 'fall-calls' }, ...shown.map(call => callItem(rowOf(call), axis)))
  details.append(list)
  if (shown.length < calls.length) details.append(allCalls(list, calls, call => callItem(rowOf(call), axis)))
  details.open = isNotable(step)
  item.append(details)
  return item
}

function allCalls(
  list: HTMLElement,
  calls: readonly KeptCall[],
  itemOf: (call: KeptCall) => HTMLElement,
): HTMLButtonElement {
  const more = element('button', {
    class: 'tool fall-more',
    text: `Show all ${calls.length} calls`,
    attributes: { type: 'button' },
  })
  more.addEventListener('click', () => {
    list.replaceChildren(...calls.map(itemOf))
    list.querySelector('li')?.setAttribute('tabindex', '-1')
    list.querySelector('li')?.focus()
    more.remove()
  })
  return more
}

/** Creates the item of a call. The bars of an only call are those of its step, so they are not repeated. */
function callItem(row: CallRow, axis: Axis): HTMLElement {
  const { call, step } = row
  const isOnly = step.calls.length === 1
  const label = element(
    'span',
    { class: 'fall-label' },
    element('span', { class: 'fall-operation', text: call.operation }),
    element('span', { class: 'fall-path', text: `${call.method} ${visibleText(call.path)}` }),
  )
  const ms = element('span', { class: 'fall-ms', text: call.end === null ? '–' : timeText(call.end - call.start) })
  const head = isOnly
    ? element('div', { class: 'fall-only' }, label)
    : element('div', { class: 'fall-row' }, label, drawnBars(row, axis), ms)
  const words = `${isOnly ? '' : `Call ${call.call}: `}${sentenceOfCall(call)}`
  return element(
    'li',
    { class: 'fall-call', attributes: { 'data-call': String(call.call) } },
    head,
    element('p', { class: 'fall-words', text: words[0]?.toUpperCase() + words.slice(1) }),
  )
}
