import { EventEmitter } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'tap'
import { errors } from '../src/errors.ts'
import { loggerOptions } from '../src/http/log/logger-options.ts'
import { Redaction } from '../src/log/redaction.ts'
import type { LoggedFailure } from './helpers/log-line.ts'
import { quietPort } from './helpers/quiet-port.ts'
import { rawUpstream } from './helpers/raw-upstream.ts'
import { serveApp } from './helpers/served-app.ts'
import { untilEvent } from './helpers/until.ts'

const root = new URL('../', import.meta.url)
const source = readdirSync(new URL('src', root), { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts'))
  .map(name => readFileSync(new URL(`src/${name}`, root), 'utf8'))
  .join('\n')
const page = readFileSync(new URL('docs/operating.md', root), 'utf8')

/** The messages in the first column of the tables of log messages. */
const documented = Array.from(
  page.matchAll(/^\| `([^`]+)` \| (?:debug|info|warn|error|fatal|info, warn or error) \|/gm),
  ([, message]) => message as string,
)

/** The first words of each fixed message that the code logs, up to a colon. */
const logged = Array.from(
  source.matchAll(/log\.(?:info|warn|error|fatal)\(\s*(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\},|\w+,)?\s*'([^':]+)/g),
  ([, message]) => (message as string).trim(),
)

test('each log message of docs/operating.md is in the code', t => {
  t.ok(documented.length > 30, `${documented.length} messages`)
  t.same(
    documented.filter(message => !source.includes(`'${message}`)),
    [],
  )
  t.end()
})

test('each fixed log message of the service is in docs/operating.md', t => {
  t.ok(logged.length > 20, `${logged.length} messages`)
  t.same(
    logged.filter(message => !documented.some(each => message.startsWith(each))),
    [],
  )
  t.end()
})

/** Returns a line with its fields in order, but without the values that differ from run to run. */
function withoutMeasured(line: LoggedFailure): object {
  const measured = { time: 0, pid: 0, hostname: '', reqId: '', trace_id: '', span_id: '', responseTime: 0 }
  const sources = Object.entries(line.sources).map(
    ([step, source]) =>
      [step, { ...source, ms: 0, attempts: 0, ...(source.failed !== undefined && { failed: 0 }) }] as const,
  )
  return {
    ...line,
    ...measured,
    why: line.why.replace(/\d+$/, ''),
    req: { ...line.req, host: '' },
    sources: Object.fromEntries(sources),
  }
}

test('the log line of docs/operating.md has the fields that the service writes, in their order', async t => {
  const [, block = ''] = /```json\n([^]*?)```/.exec(page) ?? []
  const shown = JSON.parse(block) as LoggedFailure
  const lines: LoggedFailure[] = []
  const written = new EventEmitter()
  const stream = {
    write(line: string) {
      lines.push(JSON.parse(line) as LoggedFailure)
      written.emit('line')
    },
  }
  // These upstreams never answer, so that the steps always have the same state.
  const { origin: silent } = await rawUpstream(t, () => {})
  const { get } = await serveApp(t, {
    logger: { ...(loggerOptions({ level: 'info', redaction: new Redaction() }) as object), stream },
    overrides: {
      'catfact-ninja': { origin: `http://127.0.0.1:${await quietPort()}` },
      meowfacts: { origin: silent },
      'the-cat-api': { origin: silent },
    },
  })
  await get('/v1/cat-facts?count=2')
  const find = () => lines.find(({ msg }) => msg === shown.msg)
  await untilEvent(written, 'line', () => find() !== undefined, { seen: () => lines })
  t.equal(
    JSON.stringify(withoutMeasured(find() as LoggedFailure), null, 2),
    JSON.stringify(withoutMeasured(shown), null, 2),
  )
})

test('docs/operating.md has the message of each code with the status 503', t => {
  const rows = Array.from(page.matchAll(/^\| `request (?:failed|refused)` \| every .*$/gm), ([row]) => row)
  t.equal(rows.length, 2)
  for (const [code, { status }] of Object.entries(errors))
    if (status === 503) t.equal(rows.filter(row => row.includes(`\`${code}\``)).length, 1, code)
  t.end()
})
