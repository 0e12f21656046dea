import { test, type Test } from 'tap'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { mixedRun } from '../helpers/mixed-run.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { openTerminal, whyNoTerminal } from '../helpers/terminal.ts'

const skip = whyNoTerminal()
const deadline = 10_000

/**
 * An aggregate of three pages, of which the first is answered at once and the others when the test says so, and of an
 * extra that fails.
 */
async function slowPages(t: Test) {
  const waiting: (() => void)[] = []
  const upstream = await rawUpstream(t, (socket, { path }) => {
    if (path === '/page?number=0') socket.write(json({ number: 0 }))
    else if (path === '/extra') socket.write(json({}, 404))
    else waiting.push(() => socket.write(json({ number: Number(path.at(-1)) })))
  })
  const { path } = definitionsFolder(t, {
    'pages.ts': `
import { aggregate, defineUpstream, operation, times } from 'headwaters'
import { z } from 'zod'
const slow = defineUpstream('slow', { origin: '${upstream.origin}', attemptTimeout: ${deadline} }, {
  page: operation({ path: '/page', query: z.object({ number: z.number() }), output: z.object({ number: z.number() }) }),
  extra: operation({ path: '/extra', output: z.object({}) }),
})
export const pages = aggregate('pages', { url: '/pages', deadline: ${deadline} })
  .each('pages', () => times(3, number => slow.page({ number })))
  .optional('extra', () => slow.extra(), { fallback: null })
  .required('sum', ({ pages }) => pages.length, { needs: ['pages'] })
  .reply(z.object({ pages: z.array(z.number()) }), ({ pages }) => ({ pages: pages.map(({ number }) => number) }))
`,
  })
  return {
    upstream,
    path,
    command: `clear; node src/cli.ts run pages ${path}; echo "[ended: $?]"`,
    answer: () => {
      for (const answer of waiting.splice(0)) answer()
    },
  }
}

/** The shell's prompt is there again, too. */
const ended = (code: number) => (lines: readonly string[]) =>
  lines.some((line, place) => line === `[ended: ${code}]` && lines[place + 1]?.startsWith('$'))
const isUnderWay = (lines: readonly string[]) =>
  lines.some(line => /^pages {2}running .* 1\/3 /.test(line)) && lines.some(line => /^extra {2}fallback/.test(line))
const rowsOf = (lines: readonly string[]) =>
  lines.slice(
    lines.findIndex(line => line.startsWith('step ')),
    lines.findIndex(line => line.startsWith('sum ')) + 1,
  )
const msOf = (line = '') => Number(line.trim().split(/\s+/).at(-1))
const bar = (line = '') => line.split('━').length - 1

test(
  'on a terminal of 80 columns the steps are drawn as they go, and the drawing stays below the data',
  { skip },
  async t => {
    const { command, answer, upstream } = await slowPages(t)
    const terminal = await openTerminal(t)
    await terminal.type(command)

    const before = await terminal.until(isUnderWay)
    t.notOk(await terminal.hasCursor(), 'no cursor blinks in the drawing')
    const first = rowsOf(before)
    t.equal(first.length, 4, 'a line a step below the heading')
    t.match(first[0], /^step {3}state {6}0 +10000 ms │ {2}calls {2}attempts {7}ms$/)
    t.same(new Set(first.map(line => line.indexOf('│'))).size, 1, 'the deadline is one line')
    t.ok(before.every(line => line.length < 80))
    t.match(first[1], /^pages {2}running {4}─*━+ +│ {4}1\/3 +3 +\d+$/)
    t.match(first[2], /^extra {2}fallback {3}─*━!? +│ +1 +\d+\.\d$/)
    t.match(first[3], /^sum {4}waiting +│$/)
    t.match(
      before.find(line => line.startsWith('running, ')),
      /^running, \d+ ms$/,
    )

    const after = await terminal.until(lines => bar(rowsOf(lines)[1]) > bar(first[1]))
    t.ok(msOf(rowsOf(after)[1]) > msOf(first[1]), 'the time grows with the bar')
    t.same(
      [rowsOf(after)[2], after.filter(line => line.startsWith('step ')).length],
      [first[2], 1],
      'what has ended stays, and all is there once',
    )

    answer()
    const last = await terminal.until(ended(0))
    const rows = rowsOf(last)
    t.match(rows[1], /^pages {2}ok {9}─*━+─* *│ {4}3\/3 +3 +\d+\.\d$/)
    t.match(rows[3], /^sum {4}ok +─ *│ +0 +\d+\.\d$/, 'a step without a call has a thin line')
    t.ok(
      Math.abs((rows[3] ?? '').indexOf('─') - (rows[1] ?? '').lastIndexOf('━')) <= 1,
      'a step that needs another begins where that one ended',
    )
    t.match(
      last.join('\n'),
      /^\{\n {2}"pages": \[\n {4}0,\n {4}1,\n {4}2\n {2}\]\n\}\n\npages {2}GET \/pages\n\nstep .* \d+\.\d ms │.*\n(?:.*\n){4,5}not complete, in \d+\.\d ms\n {2}extra {2}fallback: UPSTREAM_STATUS \(404\), answered with an unexpected status\n\[ended: 0\]\n\$$/,
    )
    t.ok(await terminal.hasCursor())
    t.equal(upstream.requests.length, 4)
    t.comment(last.join('\n'))
  },
)

test('Ctrl-C cancels the calls, ends with 130 and leaves the terminal as it was', { skip }, async t => {
  const { command, upstream } = await slowPages(t)
  const terminal = await openTerminal(t)
  await terminal.type(command)
  await terminal.until(isUnderWay)
  t.ok(upstream.open > 0)
  await terminal.press('C-c')
  const lines = await terminal.until(ended(130))
  await upstream.deserted()
  t.match(rowsOf(lines)[1], /^pages {2}cancelled {2,}─*━+×─* *│ {4}1\/3 /)
  t.match(lines.join('\n'), /\ncancelled after \d+\.\d ms\n/)
  t.equal(lines.filter(line => line.startsWith('step ')).length, 1, 'the drawing is there once')
  t.ok(await terminal.hasCursor(), 'the cursor is seen')
  await terminal.type('clear; stty -a')
  const modes = await terminal.until(screen => screen.some(line => line.includes('iexten')))
  t.match(modes.join(' '), /(?<!-)icanon/)
  t.match(modes.join(' '), /(?<!-)echo /)
})

test('waits, hedges, retries and cancels of a run differ in its drawing', { skip }, async t => {
  const { path } = await mixedRun(t)
  const terminal = await openTerminal(t)
  await terminal.type(`clear; node src/cli.ts run mixed ${path}; echo "[ended: $?]"`)
  const lines = await terminal.until(ended(0))
  const row = (name: string) => lines.find(line => line.startsWith(`${name} `)) ?? ''
  t.comment(lines.join('\n'))
  // On a slow machine the cancel of the first attempt, or the work after the last one, takes a column more.
  t.match(row('slow'), / ok +─*━+═+━?─* *│/)
  t.match(row('again'), / ok +─*━+!─*┄*━+─* *│/)
  t.match(row('queued'), / ok +─*━+─* *│/)
  t.match(row('fastest'), / ok +─*━+─* *│/)
  t.match(row('never'), / fallback +─*━+[×!]─*│/)
  t.ok(lines.some(line => /^ {2}again {3}waited 1\d{3} ms before the retry$/.test(line)))
  t.ok(lines.some(line => /^(?:─ own work {2})?┄ wait {2}━ attempt {2}═ hedge {2}! failed$/.test(line)))
})

test('a terminal that is made narrower or wider is drawn to its new width', { skip }, async t => {
  const { command, answer } = await slowPages(t)
  const terminal = await openTerminal(t)
  await terminal.type(command)
  await terminal.until(isUnderWay)
  for (const columns of [60, 100, 50]) {
    await terminal.resize(columns, 24)
    const lines = await terminal.until(screen =>
      screen.some(line => line.startsWith('step ') && line.length > columns - 6 && line.length < columns),
    )
    t.ok(
      lines.every(line => line.length < columns),
      `${columns}`,
    )
    t.equal(rowsOf(lines).length, 4)
    t.equal(lines.filter(line => line.startsWith('step ')).length, 1, 'the drawing is there once')
  }
  answer()
  t.equal((await terminal.until(ended(0))).filter(line => line.startsWith('step ')).length, 1)
})

test('states have colours, unless NO_COLOR asks for none', { skip }, async t => {
  for (const [environment, isColoured] of [
    [{}, true],
    [{ NO_COLOR: '1' }, false],
  ] as const) {
    const { command } = await slowPages(t)
    const terminal = await openTerminal(t, environment)
    await terminal.type(command)
    await terminal.until(isUnderWay)
    const row = (await terminal.screen({ escapes: true })).find(line => line.startsWith('extra'))
    t.equal(row?.includes('\x1b['), isColoured, row ?? 'there is no row')
    await terminal.press('C-c')
    await terminal.until(ended(130))
  }
})

test('a terminal that cannot be drawn on gets plain lines', { skip }, async t => {
  const { command, answer } = await slowPages(t)
  const terminal = await openTerminal(t)
  await terminal.type(command.replace('node ', 'TERM=dumb node '))
  await terminal.until(lines => lines.some(line => /^ +\d+\.\d ms {2}extra {2}fallback after/.test(line)))
  answer()
  const lines = await terminal.until(ended(0))
  t.ok(lines.some(line => /^ +\d+\.\d ms {2}pages {2}ok after /.test(line)))
  t.notOk(lines.some(line => line.startsWith('step ')))
})

test('a reply that is taller than the terminal leaves the picture on the screen', { skip }, async t => {
  const upstream = await rawUpstream(t, (socket, { path }) =>
    socket.write(path === '/gone' ? json({}, 404) : json(Array.from({ length: 60 }, () => '猫 \u009b2J\u202e'))),
  )
  const { path } = definitionsFolder(t, {
    'tall.ts': `
import { aggregate, defineUpstream, operation } from 'headwaters'
import { z } from 'zod'
const cats = defineUpstream('cats', { origin: '${upstream.origin}' }, {
  names: operation({ path: '/names', output: z.array(z.string()) }),
  gone: operation({ path: '/gone', output: z.string() }),
})
export const tall = aggregate('tall', { url: '/tall' })
  .required('names', () => cats.names())
  .optional('gone', () => cats.gone(), { fallback: null })
  .reply(z.array(z.string()), ({ names }) => names)
`,
  })
  const terminal = await openTerminal(t)
  await terminal.resize(60, 24)
  await terminal.type(`clear; node src/cli.ts run tall ${path}; echo "[ended: $?]"`)
  const lines = await terminal.until(ended(0))
  t.ok(lines.every(line => line.length < 60))
  const place = (start: string) => lines.findIndex(line => line.startsWith(start))
  t.ok(place(']') < place('tall  GET /tall') && place('tall  GET /tall') < place('step '), lines.join('\n'))
  t.match(lines[place('  gone  ')], /^ {2}gone {2}fallback: UPSTREAM_STATUS \(404\), answered with.*…$/)
  t.ok(
    lines.some(line => line === '  "猫 \\u009b2J\\u202e",'),
    'what would control the terminal is escaped',
  )
})

test('the problem of --json does not control the terminal', { skip }, async t => {
  const { path } = definitionsFolder(t, {
    'refused.ts': `
import { aggregate, refuse } from 'headwaters'
import { z } from 'zod'
export const refused = aggregate('refused', { url: '/refused' })
  .required('it', () => refuse(404, 'No \u009b2J\u202e cat.'))
  .reply(z.unknown(), () => 1)
`,
  })
  const terminal = await openTerminal(t)
  await terminal.type(`node src/cli.ts run refused --json ${path}; echo "[ended: $?]"`)
  const lines = await terminal.until(ended(1))
  t.ok(lines.includes('  "detail": "No \\u009b2J\\u202e cat.",'), lines.join('\n'))
  await terminal.type(`clear; node src/cli.ts run refused --json ${path} | cat -v; echo "[ended: $?]"`)
  const piped = await terminal.until(ended(0))
  t.ok(piped.includes('  "detail": "No M-BM-^[2JM-bM-^@M-. cat.",'), piped.join('\n'))
})
