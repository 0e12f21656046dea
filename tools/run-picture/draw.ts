import type { CallRecord, RunRecord, StepRecord } from './record.ts'

/** The page that a picture is for. */
export type Scheme = 'light' | 'dark'

interface Colors {
  readonly page: string
  readonly text: string
  readonly quiet: string
  readonly grid: string
  readonly answered: string
  readonly failed: string
  readonly onBar: string
}

/** Colours that color-blind readers can distinguish, with a contrast of at least 4.5 for text. */
const schemes: Readonly<Record<Scheme, Colors>> = {
  light: {
    page: '#ffffff',
    text: '#1f2328',
    quiet: '#59636e',
    grid: '#d1d9e0',
    answered: '#0072b2',
    failed: '#b54700',
    onBar: '#ffffff',
  },
  dark: {
    page: '#0d1117',
    text: '#f0f6fc',
    quiet: '#9198a1',
    grid: '#30363d',
    answered: '#56b4e9',
    failed: '#f0883e',
    onBar: '#0d1117',
  },
}

const width = 760
const plot = { left: 104, right: 556, top: 74 } as const
const lane = { height: 20, bar: 14, stepGap: 12 } as const
const tick = 200

/** Draws a run as SVG. Each call has a lane with its attempts and its waits. The time axis ends at the deadline. */
export function drawRun(run: RunRecord, scheme: Scheme): string {
  const colors = schemes[scheme]
  const x = (ms: number) => round(plot.left + (ms / run.deadline) * (plot.right - plot.left))
  let top: number = plot.top
  const steps = run.steps.map(step => {
    const at = top
    top += step.calls.length * lane.height + lane.stepGap
    return drawStep(step, at, x)
  })
  const bottom = top
  const height = bottom + 64
  const outcome = `200 after ${ms(run.end)}, ${run.isComplete ? 'complete' : 'partial'}`
  const axis = Array.from({ length: Math.floor(run.deadline / tick) + 1 }, (_, index) => {
    const [at, label] = [
      x(index * tick),
      index * tick === run.deadline ? `deadline ${ms(run.deadline)}` : ms(index * tick),
    ]
    return (
      `<line class="${index * tick === run.deadline ? 'deadline' : 'grid'}" x1="${at}" x2="${at}" y1="${plot.top - 8}" y2="${bottom}"/>` +
      `<text class="quiet" text-anchor="middle" x="${at}" y="${plot.top - 14}">${label}</text>`
    )
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title desc">
<title id="title">One run of the aggregate ${run.name}: ${outcome}</title>
<desc id="desc">${run.steps.map(sentenceOf).join(' ')}</desc>
<style>
text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: ${colors.text} }
.head { font-size: 15px; font-weight: 600 } .name { font-weight: 600 } .quiet { fill: ${colors.quiet}; font-size: 12px }
.attempt { fill: ${colors.onBar}; font-size: 11px; font-weight: 600 }
.page { fill: ${colors.page} } .grid { stroke: ${colors.grid} } .deadline, .end { stroke: ${colors.text} } .deadline { stroke-dasharray: 5 4 }
.answered { fill: ${colors.answered} } .failed { fill: ${colors.failed} } .waits { fill: url(#hatch); stroke: ${colors.quiet}; stroke-width: 0.75 }
.hatch { stroke: ${colors.quiet}; stroke-width: 1 }
</style>
<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line class="hatch" x1="0" x2="0" y1="0" y2="5"/></pattern></defs>
<rect class="page" width="${width}" height="${height}" rx="6"/>
<text class="head" x="16" y="28">GET /v1/${run.name}: ${outcome}</text>
${axis.join('\n')}
${steps.join('\n')}
<line class="end" x1="${x(run.end)}" x2="${x(run.end)}" y1="${plot.top - 8}" y2="${bottom + 4}"/>
<text x="${x(run.end) + 6}" y="${bottom + 6}">reply</text>
${legend(bottom + 44)}
</svg>
`
}

function drawStep(step: StepRecord, top: number, x: (ms: number) => number): string {
  const lanes = step.calls.map((call, index) => drawCall(call, step, top + index * lane.height, x))
  return [
    `<text class="name" x="16" y="${top + 12}">${step.name}</text>`,
    ...lanes,
    `<text class="state" x="${plot.right + 16}" y="${top + 12}">${stateOf(step)}</text>`,
    ...(step.code === undefined
      ? []
      : [`<text class="quiet" x="${plot.right + 16}" y="${top + 28}">${step.code}</text>`]),
  ].join('\n')
}

/** Draws the attempts of a call with their numbers, and the waits: the gaps before and between the attempts. */
function drawCall({ attempts }: CallRecord, step: StepRecord, top: number, x: (ms: number) => number): string {
  let from = step.start
  return attempts
    .map(({ start, end, code }, index) => {
      const waits = x(start) - x(from) < 2 ? '' : bar('waits', from, start, top, x)
      from = end
      const room = x(end) - x(start)
      const text = code === undefined ? String(index + 1) : failedLabel(index + 1, room)
      const label = `<text class="attempt" text-anchor="middle" x="${round(x(start) + room / 2)}" y="${top + 11}">${text}</text>`
      return waits + bar(code === undefined ? 'answered' : 'failed', start, end, top, x) + (room >= 12 ? label : '')
    })
    .join('')
}

/** Returns the label of a failed attempt: its number and `failed`, or a shorter text if the bar is too narrow. */
function failedLabel(attempt: number, room: number): string {
  return room >= 50 ? `${attempt} failed` : room >= 22 ? `${attempt} ✕` : '✕'
}

function bar(kind: string, start: number, end: number, top: number, x: (ms: number) => number): string {
  return `<rect class="${kind}" x="${x(start)}" y="${top}" width="${round(Math.max(2, x(end) - x(start)))}" height="${lane.bar}" rx="2"/>`
}

function stateOf({ state, calls, start, end }: StepRecord): string {
  const count = calls.reduce((sum, { attempts }) => sum + attempts.length, 0)
  return `${state}, ${count} ${count === 1 ? 'attempt' : 'attempts'}, ${ms(end - start)}`
}

function sentenceOf(step: StepRecord): string {
  const calls = step.calls.length === 1 ? '1 call' : `${step.calls.length} calls`
  return `${step.name}: ${calls}, ${stateOf(step)}${step.code === undefined ? '' : `, ${step.code}`}.`
}

function legend(y: number): string {
  let at = 16
  return (
    [
      ['answered', 'attempt that was answered'],
      ['failed', 'attempt that failed'],
      ['waits', 'waits: for a permit, or before a retry'],
    ] as const
  )
    .map(([kind, text]) => {
      const entry = `<rect class="${kind}" x="${at}" y="${y - 10}" width="18" height="12" rx="2"/><text class="quiet" x="${at + 24}" y="${y}">${text}</text>`
      at += 24 + text.length * 6.6 + 24
      return entry
    })
    .join('\n')
}

function ms(value: number): string {
  return `${Math.round(value)} ms`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
