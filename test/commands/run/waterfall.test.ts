import { stripVTControlCharacters } from 'node:util'
import { test } from 'tap'
import { waterfall } from '../../../src/commands/run/waterfall.ts'
import { runViewAfter, type EventEntry } from '../../helpers/run-view-after.ts'

const plain = { color: false, unicode: true }

/** Of a run of 1000 ms: `first` and `extra` are asked at once, the others when `first` has its value. */
const begun: readonly EventEntry[] = [
  [0, 'step started', { step: 0 }],
  [1, 'attempt started', { step: 0 }],
  [2, 'step started', { step: 3 }],
  [3, 'attempt started', { step: 3 }],
]
const halfWay: readonly EventEntry[] = [
  ...begun,
  [250, 'call ended', { step: 0, status: 200 }],
  [250, 'step ended', { step: 0, state: 'ok' }],
  [250, 'step started', { step: 1 }],
  ...[0, 1, 2].map((call): EventEntry => [251, 'attempt started', { step: 1, call }]),
  [250, 'step started', { step: 2 }],
  ...[0, 1].map((call): EventEntry => [251, 'attempt started', { step: 2, call }]),
  [400, 'call ended', { step: 1, call: 1, status: 200 }],
]
const done: readonly EventEntry[] = [
  ...halfWay,
  [500, 'step ended', { step: 2, state: 'ok', tally: { calls: 2, ok: 1, failed: [] } }],
  [600, 'step ended', { step: 3, state: 'fallback', code: 'UPSTREAM_STATUS' }],
  [
    750.04,
    'step ended',
    { step: 1, state: 'partial', tally: { calls: 3, ok: 2, failed: [{ index: 0, code: 'UPSTREAM_RESET' }] } },
  ],
  [751, 'run ended'],
]

test('in 80 columns a run that has begun has a row a step, and no bar for one that waits', async t => {
  t.same(waterfall(runViewAfter(begun), { ...plain, now: 100, columns: 80 }), [
    'drawn  GET /drawn',
    '',
    'step    state      0                        1000 ms │  calls  attempts       ms',
    'first   running    ━━━                              │                1      100',
    'pages   waiting                                     │',
    'mirror  waiting                                     │',
    'extra   running    ━━━                              │                1       98',
    '',
    'running, 100 ms',
  ])
})

test('a bar begins where its step did and grows to now; calls are counted as they end', async t => {
  t.same(waterfall(runViewAfter(halfWay), { ...plain, now: 500, columns: 80 }), [
    'drawn  GET /drawn',
    '',
    'step    state      0                        1000 ms │  calls  attempts       ms',
    'first   ok         ━━━━━━━━                         │                1    250.0',
    'pages   running            ━━━━━━━━━                │    1/3         3      250',
    'mirror  running            ━━━━━━━━━                │    0/2         2      250',
    'extra   running    ━━━━━━━━━━━━━━━━━                │                1      498',
    '',
    'running, 500 ms',
  ])
})

test('a run that is done stays as it ended, whatever the time', async t => {
  const lines = waterfall(runViewAfter(done), { ...plain, now: 751, columns: 80 })
  t.same(lines, [
    'drawn  GET /drawn',
    '',
    'step    state      0                       751.0 ms │  calls  attempts       ms',
    'first   ok         ━━━━━━━━━━━                      │                1    250.0',
    'pages   partial              ━━━━━━━━━━━━━━━━━━━━━━━│    2/3         3    500.0',
    'mirror  ok                   ━━━━━━━━━━━━           │    1/2         2    250.0',
    'extra   fallback   ━━━━━━━━━━━━━━━━━━━━━━━━━━       │                1    598.0',
    '',
    'not complete, in 751.0 ms',
  ])
  t.same(waterfall(runViewAfter(done), { ...plain, now: 9000, columns: 80 }), lines)
})

test('when a run ends the axis ends with it, so that the bars of a short run can be read', async t => {
  const short: readonly EventEntry[] = [
    [0, 'step started', { step: 0 }],
    [30, 'step ended', { step: 0, state: 'ok' }],
    [30, 'step started', { step: 1 }],
    [45, 'step ended', { step: 1, state: 'ok' }],
  ]
  const bars = (events: readonly EventEntry[]) =>
    waterfall(runViewAfter(events), { ...plain, now: 45, columns: 80 })
      .slice(3, 5)
      .map(line => line.split('─').length - 1)
  t.same(bars(short), [1, 1])
  t.same(bars([...short, [45, 'run ended']]), [22, 11])
  t.same(
    bars([
      [0, 'step started', { step: 0 }],
      [0, 'step ended', { step: 0, state: 'ok' }],
      [0, 'run ended'],
    ]),
    [1, 0],
  )
})

test('a run that failed says by what, and what it cut', async t => {
  const lines = waterfall(
    runViewAfter([
      ...begun,
      [1003, 'step ended', { step: 0, state: 'failed', code: 'DEADLINE_EXCEEDED' }],
      [1003, 'step ended', { step: 3, state: 'cancelled' }],
      [1003, 'run ended', { code: 'DEADLINE_EXCEEDED' }],
    ]),
    { ...plain, now: 1003, columns: 80 },
  )
  t.same(lines.slice(3), [
    'first   failed     ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━│                1   1003.0',
    'pages   waiting                                     │',
    'mirror  waiting                                     │',
    'extra   cancelled  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━│                1   1001.0',
    '',
    'failed after 1003.0 ms: DEADLINE_EXCEEDED',
  ])
})

test('a deadline that was shortened is the end of the axis', async t => {
  const [, , head = '', first = ''] = waterfall(runViewAfter(begun, 200), { ...plain, now: 100, columns: 80 })
  t.match(head, ' 200 ms │')
  t.equal(Array.from(first.matchAll(/━/g)).length, 17, 'half of it is over')
})

test('no line is longer than the terminal is wide, however narrow it is', async t => {
  const drawings = Array.from({ length: 185 }, (_, index) => index + 16).flatMap(columns =>
    [begun, halfWay, done].map(told => ({
      columns,
      lines: waterfall(runViewAfter(told), { ...plain, now: 500, columns }),
    })),
  )
  t.same(
    drawings.filter(({ columns, lines }) => lines.some(line => line.length >= columns)),
    [],
    'none is longer',
  )
  t.same(
    drawings.filter(
      ({ lines }) => lines.length !== 9 || !lines.slice(3, 7).every(line => /^(?:fir|pag|mir|ext)/.test(line)),
    ),
    [],
    'each step has its line',
  )
})

test('marks stand below each other', async t => {
  for (const columns of [60, 80, 132]) {
    const lines = waterfall(runViewAfter(done), { ...plain, now: 751, columns }).slice(2, 7)
    t.same(new Set(lines.map(line => line.indexOf('│'))).size, 1, `${columns}`)
    t.ok((lines[0] as string).indexOf('│') > 0)
  }
})

test('a narrow terminal omits first the attempts, then the calls, then the bars', async t => {
  const heads = [80, 60, 52, 34, 16].map(
    columns => waterfall(runViewAfter(done), { ...plain, now: 751, columns })[2] as string,
  )
  t.same(
    heads.map(head => ['attempts', 'calls', '│', 'ms', 'state'].filter(word => head.includes(word))),
    [
      ['attempts', 'calls', '│', 'ms', 'state'],
      ['calls', '│', 'ms', 'state'],
      ['│', 'ms', 'state'],
      ['ms', 'state'],
      ['state'],
    ],
  )
})

test('colours add nothing but colours', async t => {
  for (const columns of [20, 40, 80]) {
    const options = { unicode: true, now: 751, columns }
    const lines = waterfall(runViewAfter(done), { ...options, color: true })
    t.same(
      lines.map(line => stripVTControlCharacters(line).trimEnd()),
      waterfall(runViewAfter(done), { ...options, color: false }),
    )
    t.ok(
      lines.some(line => line.includes('\x1b[33mpartial')),
      'a part that is lost is yellow',
    )
    t.ok(
      lines.every(line => line.split('\x1b[').length % 2 === 1),
      'each colour is ended',
    )
  }
})

test('without unicode all is ASCII', async t => {
  t.match(waterfall(runViewAfter(done), { color: false, unicode: false, now: 751, columns: 80 }).join(' '), /^[ -~]+$/)
})

test('a wait, an attempt, a pause, a retry, a hedge and a cancel have characters of their own, and a legend', async t => {
  const source = { upstream: 'source', operation: 'source.ask' }
  const events: readonly EventEntry[] = [
    [0, 'step started', { step: 0 }],
    [200, 'call waited', { ...source, step: 0, reason: 'permit', ms: 200 }],
    [200, 'attempt started', { ...source, step: 0, kind: 'first' }],
    [300, 'attempt ended', { ...source, step: 0, code: 'UPSTREAM_BUSY' }],
    [400, 'call waited', { ...source, step: 0, reason: 'retry', ms: 100 }],
    [400, 'attempt started', { ...source, step: 0, attempt: 2, kind: 'retry' }],
    [600, 'attempt ended', { ...source, step: 0, attempt: 2 }],
    [600, 'call ended', { ...source, step: 0, status: 200 }],
    [800, 'step ended', { step: 0 }],
    [0, 'step started', { step: 3 }],
    [0, 'attempt started', { ...source, step: 3, kind: 'first' }],
    [400, 'attempt started', { ...source, step: 3, attempt: 2, kind: 'hedge' }],
    [600, 'attempt ended', { ...source, step: 3, attempt: 2 }],
    [600, 'attempt ended', { ...source, step: 3, code: 'CANCELLED' }],
    [600, 'call ended', { ...source, step: 3, status: 200 }],
    [600, 'step ended', { step: 3 }],
    [800, 'step started', { step: 1 }],
    [800, 'attempt started', { ...source, step: 1, kind: 'first' }],
    [1000, 'attempt ended', { ...source, step: 1, code: 'CANCELLED' }],
    [1000, 'call ended', { ...source, step: 1, code: 'CANCELLED' }],
    [1000, 'step ended', { step: 1, state: 'cancelled' }],
    [1000, 'run ended', { code: 'CANCELLED' }],
  ]
  t.same(waterfall(runViewAfter(events), { ...plain, now: 1000, columns: 87 }), [
    'drawn  GET /drawn',
    '',
    'step    state      0                               1000 ms │  calls  attempts       ms',
    'first   ok         ┄┄┄┄┄┄┄┄━━━!┄┄┄┄━━━━━━━━────────        │                2    800.0',
    'pages   cancelled                                  ━━━━━━━×│    0/1         1    200.0',
    'mirror  waiting                                            │',
    'extra   ok         ━━━━━━━━━━━━━━━━════════                │                2    600.0',
    '─ own work  ┄ wait  ━ attempt  ═ hedge  ! failed  × cancelled',
    '',
    'cancelled after 1000.0 ms',
  ])
  t.match(waterfall(runViewAfter(events), { color: false, unicode: false, now: 1000, columns: 87 }).slice(3, 8), [
    /  ok {9}\.{8}===!\.{4}={8}-{8} {8}\|/,
    /=======x\|/,
    'waiting',
    /  ok {9}={16}#{8} {16}\|/,
    '- own work  . wait  = attempt  # hedge  ! failed  x cancelled',
  ])
})

test('a deadline that comes shortly after the end of the run is the end of the axis', async t => {
  const ended = (at: number) =>
    waterfall(
      runViewAfter([
        [0, 'step started', { step: 0 }],
        [at, 'step ended', { step: 0, state: 'ok' }],
        [at, 'run ended'],
      ]),
      { ...plain, now: at, columns: 80 },
    )
  t.match(ended(950)[2], ' 1000 ms │')
  t.match(ended(950)[3], /^first {3}ok {9}─{31} {2}│/)
  t.match(ended(850)[2], ' 850.0 ms │')
  const late = ended(1500)
  t.match(late[2], ' 1500.0 ms │')
  t.match(late[4], /^pages {3}waiting {26}│ {10}│$/, 'a run that ended after its deadline has a mark at the deadline')
})

test('calls beyond the width of a step may still wait, and are counted as more', async t => {
  const calls = [0, 1, 2, 3].map((call): EventEntry => [1, 'attempt started', { step: 1, call }])
  t.match(
    waterfall(runViewAfter([[0, 'step started', { step: 1 }], ...calls]), { ...plain, now: 2, columns: 80 })[4],
    ' 0/4+ ',
  )
})

test('a context() that asks calls has the first row from its first event on, and counts several calls', async t => {
  const asking: readonly EventEntry[] = [
    [0, 'step started', { step: -1 }],
    [1, 'attempt started', { step: -1, call: 0 }],
    [100, 'call ended', { step: -1, call: 0, status: 200 }],
    [101, 'attempt started', { step: -1, call: 1 }],
  ]
  t.same(waterfall(runViewAfter(asking), { ...plain, now: 250, columns: 80 }).slice(2, 5), [
    'step     state      0                       1000 ms │  calls  attempts       ms',
    'context  running    ━━━━━━━━                        │   1/2+         2      250',
    'first    waiting                                    │',
  ])
  const ended: readonly EventEntry[] = [
    ...asking,
    [250, 'call ended', { step: -1, call: 1, status: 200 }],
    [250, 'step ended', { step: -1, state: 'ok', tally: { calls: 2, ok: 2, failed: [] } }],
    [250, 'step started', { step: 0 }],
  ]
  t.same(waterfall(runViewAfter(ended), { ...plain, now: 500, columns: 80 }).slice(3, 5), [
    'context  ok         ━━━━━━━━                        │    2/2         2    250.0',
    'first    running            ────────                │                0      250',
  ])
})

test('a cancelled call of a step is covered by the answer of another call', async t => {
  const source = { upstream: 'source', operation: 'source.ask', kind: 'first' }
  const [, , , , , mirror] = waterfall(
    runViewAfter([
      [0, 'step started', { step: 2 }],
      [0, 'attempt started', { ...source, step: 2, call: 0 }],
      [0, 'attempt started', { ...source, step: 2, call: 1 }],
      [500, 'attempt ended', { ...source, step: 2, call: 0 }],
      [500, 'attempt ended', { ...source, step: 2, call: 1, code: 'CANCELLED' }],
      [600, 'step ended', { step: 2, tally: { calls: 2, ok: 1, failed: [] } }],
      [1000, 'run ended'],
    ]),
    { ...plain, now: 1000, columns: 87 },
  )
  t.match(mirror, /^mirror {2}ok {9}━{20}─{4} {16}│ {4}1\/2 /)
})
