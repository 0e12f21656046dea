import { test, type Test } from 'tap'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { openTerminal, whyNoTerminal } from '../../helpers/terminal.ts'

const skip = whyNoTerminal()
const whole = json({ data: [], complete: true, sources: {} })
const ended = (code: number) => (lines: readonly string[]) => lines.some(line => line === `[ended: ${code}]`)
const isCounting = (lines: readonly string[]) =>
  lines.some(line => /^so far +[1-9]\d* +[1-9]/.test(line)) && lines.some(line => /^last second +\d/.test(line))
const drawings = (lines: readonly string[]) => lines.filter(line => line.startsWith('last second')).length

/** A command that asks a service which answers the first hundred and hangs from then on. */
async function hanging(t: Test) {
  const upstream = await rawUpstream(t, (socket, { index }) => {
    if (index < 100) socket.write(whole)
  })
  return {
    upstream,
    command:
      `clear; node src/cli.ts load ${upstream.origin}/ --warm-up 0 --connections 20 ` +
      '--duration 10m --timeout 10m; echo "[ended: $?]"',
  }
}

test(
  'on a terminal the run is drawn as it goes; Ctrl-C ends it with the table below the drawing and leaves the terminal as it was',
  { skip },
  async t => {
    const { command, upstream } = await hanging(t)
    const terminal = await openTerminal(t)
    await terminal.resize(80, 48)
    await terminal.type(command)
    const lines = await terminal.until(
      screen => isCounting(screen) && screen.some(line => /^in flight +20 +waiting [1-9]/.test(line)),
    )
    t.notOk(await terminal.hasCursor(), 'no cursor blinks in the drawing')
    t.ok(lines.every(line => line.length < 80))
    t.equal(drawings(lines), 1)
    t.match(lines.join('\n'), /^\d+ of 600 s, counting +─+$/m)
    t.match(lines.join('\n'), /^answers +whole 100$/m)
    t.match(lines.join('\n'), /^p99 by s +[▁▂▃▄▅▆▇█]/m)

    await terminal.press('C-c')
    const last = await terminal.until(ended(130))
    t.equal(drawings(last), 1, 'the drawing is there once')
    t.match(last.join('\n'), /^open loop, 100\/s over 20 connections, .* s, interrupted$/m)
    t.match(last.join('\n'), /^percentile +ms from due/m)
    t.match(last.join('\n'), /^errors +cut off at the end: 20$/m)
    t.ok(await terminal.hasCursor())
    await upstream.deserted()
    await terminal.type('clear; stty -a')
    const modes = await terminal.until(screen => screen.some(line => line.includes('iexten')))
    t.match(modes.join(' '), /(?<!-)icanon/)
    t.match(modes.join(' '), /(?<!-)echo /)
    t.comment(last.join('\n'))
  },
)

test('NO_COLOR takes the colours away', { skip }, async t => {
  for (const [environment, isColoured] of [
    [{}, true],
    [{ NO_COLOR: '1' }, false],
  ] as const) {
    const { command } = await hanging(t)
    const terminal = await openTerminal(t, environment)
    await terminal.type(command)
    await terminal.until(isCounting)
    const row = (await terminal.screen({ escapes: true })).find(line => line.startsWith('answers'))
    t.equal(row?.includes('\x1b['), isColoured, row ?? 'there is no row')
    await terminal.press('C-c')
    await terminal.until(ended(130))
  }
})

test('a terminal that cannot be drawn on gets plain lines', { skip }, async t => {
  const { command } = await hanging(t)
  const terminal = await openTerminal(t, { TERM: 'dumb' })
  await terminal.type(command.replace('node ', 'TERM=dumb node '))
  await terminal.until(lines => lines.some(line => /^ +\d s {2}sent \d+ {2}answered \d+/.test(line)))
  t.equal(drawings(await terminal.screen()), 0)
  await terminal.press('C-c')
  await terminal.until(ended(130))
})
