import { test } from 'tap'
import { openTerminal, whyNoTerminal } from '../helpers/terminal.ts'

const skip = whyNoTerminal()
const serving = (lines: readonly string[]) => lines.some(line => line.includes('serving'))

test('at a terminal the log is text with colours, and JSON in a pipe from the terminal', { skip }, async t => {
  const terminal = await openTerminal(t, { PORT: '0' })
  // The line with all settings takes many rows.
  await terminal.resize(160, 60)
  await terminal.type('clear; node src/cli.ts serve')
  const lines = await terminal.until(serving)
  t.ok(
    lines.some(line => /^\d\d:\d\d:\d\d\.\d{3} INFO {2}Server listening at http:\/\/127\.0\.0\.1:\d+$/.test(line)),
    lines.join('\n'),
  )
  const colored = await terminal.screen({ escapes: true })
  t.ok(colored.some(line => line.includes('\x1b[32mINFO')))
  await terminal.press('C-c')
  await terminal.until(screen => screen.at(-1) === '$')

  await terminal.type('clear; node src/cli.ts serve | cat')
  t.ok((await terminal.until(serving)).some(line => line.startsWith('{"level":30,"time":')))
  // SIGHUP at the end of the terminal does not end the service.
  await terminal.press('C-c')
  await terminal.until(screen => screen.at(-1) === '$')
})
