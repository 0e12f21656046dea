import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'tap'

const root = new URL('../', import.meta.url)
const source = readdirSync(new URL('src', root), { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts'))
  .map(name => readFileSync(new URL(`src/${name}`, root), 'utf8'))
  .join('\n')
const page = readFileSync(new URL('docs/operating.md', root), 'utf8')

/** The messages in the first column of the tables of log messages. */
const documented = Array.from(
  page.matchAll(/^\| `([^`]+)` \| (?:debug|info|warn|error|fatal|as above) \|/gm),
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
