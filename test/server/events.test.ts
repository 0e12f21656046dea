import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import tap, { test, type Test } from 'tap'
import { definitionsFolder, words } from '../helpers/definitions-folder.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { runCommand, startService } from '../helpers/service-process.ts'
import { until } from '../helpers/until.ts'

// It starts a dozen processes one after the other.
tap.setTimeout(120_000)

interface Heard {
  readonly version: number
  readonly pid: number
  readonly type: string
  readonly aggregate: string
  readonly url: string
}

/** A listener that appends a line per event to the file that a variable names. */
const listener = (version = 1) => `
import { appendFileSync } from 'node:fs'
import type { RunEvent } from 'headwaters'
import { versionOf } from './version.ts'

export default ({ type, run: { aggregate, url } }: RunEvent): void => {
  const line = { version: versionOf(${version}), pid: process.pid, type, aggregate, url }
  appendFileSync(process.env['HEARD'] as string, JSON.stringify(line) + '\\n')
}
`
const version = 'export const versionOf = (version: number): number => version'

async function arrange(t: Test) {
  const upstream = await rawUpstream(t, json({ word: 'cat' }))
  const { path, write } = definitionsFolder(t, {
    'words.ts': words(upstream.origin),
    'hooks/listener.ts': listener(),
    'hooks/version.ts': version,
    heard: '',
  })
  const file = join(path, 'heard')
  return {
    path,
    write,
    definitions: join(path, 'words.ts'),
    events: join(path, 'hooks/listener.ts'),
    environment: { HEARD: file },
    heard: () =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line) as Heard),
  }
}

test('the events of the built-in aggregates go to the default export of a module', async t => {
  const { events, environment, heard } = await arrange(t)
  const { origin } = await startService(t, environment, ['serve', '--events', events])
  t.equal((await fetch(`${origin}/v1/breeds/siamese`)).status, 200)
  const told = heard()
  t.match(told[0], { type: 'run started', aggregate: 'breed', url: '/v1/breeds/{breed}' })
  t.match(told.at(-1), { type: 'run ended', aggregate: 'breed' })
  t.ok(told.length > 5)
})

test('with --watch, a changed listener receives the next events', async t => {
  const { definitions, events, environment, heard, write } = await arrange(t)
  const { origin, log, said, saidTimes } = await startService(t, environment, [
    'serve',
    definitions,
    '--watch',
    '--events',
    events,
  ])
  const ask = async () => (await fetch(`${origin}/words`)).status
  t.equal(await ask(), 200)
  t.ok(heard().every(each => each.version === 1))
  write('hooks/listener.ts', listener(2))
  await said('definitions reloaded')
  t.equal(await ask(), 200)
  t.equal(heard().at(-1)?.version, 2)
  write('hooks/version.ts', 'export const versionOf = (version: number): number => version + 10')
  await saidTimes('definitions reloaded', 2)
  t.equal(await ask(), 200)
  t.equal(heard().at(-1)?.version, 12, 'a file that the listener imports is watched too')
  write('hooks/listener.ts', 'export default 7')
  t.match(await said('reload failed'), {
    faults: [/listener\.ts: has a default export that is a number: --events needs export default event => \{ … \}$/],
  })
  t.equal(await ask(), 200)
  t.equal(heard().at(-1)?.version, 12, 'the previous listener stays')
  rmSync(events)
  await saidTimes('reload failed', 2)
  t.match(log.filter(({ msg }) => String(msg).startsWith('reload failed')).at(-1), {
    faults: [/^\/\S+listener\.ts: no such file: restore it, or name another file$/],
  })
  t.equal(await ask(), 200)
  t.equal(heard().at(-1)?.version, 12, 'the previous listener stays')
})

test('with --workers, each worker has the listener, and SIGUSR2 loads it again', async t => {
  const { definitions, events, environment, heard, write } = await arrange(t)
  const args = ['serve', definitions, '--workers', '2', '--events', events]
  const { origin, said, stop, pid } = await startService(t, environment, args)
  await said('serving')
  const ask = () => fetch(`${origin}/words`, { headers: { connection: 'close' } })
  await until(async () => {
    t.equal((await ask()).status, 200)
    return new Set(heard().map(each => each.pid)).size === 2
  })
  t.ok(heard().every(each => each.version === 1 && each.pid !== pid))
  write('hooks/listener.ts', listener(2))
  stop('SIGUSR2')
  await said('rolling restart completed')
  t.equal((await ask()).status, 200)
  t.equal(heard().at(-1)?.version, 2)
})

test('a module that has no listener is refused before anything listens', async t => {
  const { path, definitions, write } = await arrange(t)
  const fix = ': --events needs export default event => \\{ … \\}'
  for (const [name, text, message] of [
    ['none.ts', 'export const onEvent = () => {}', `none\\.ts: has no default export${fix}`],
    ['object.mjs', 'export default {}', `object\\.mjs: has a default export that is an object${fix}`],
    ['null.mjs', 'export default null', `null\\.mjs: has a default export that is null${fix}`],
    ['throws.ts', '\nthrow new Error("no")', 'throws\\.ts:2:7: throws when it is loaded: Error: no'],
  ] as const) {
    write(name, text)
    for (const args of [[], [definitions]]) {
      const { code, output, errors } = await runCommand(t, ['serve', ...args, '--events', join(path, name)], {
        PORT: '0',
      })
      t.same([code, output], [2, ''], name)
      t.match(errors, new RegExp(`^headwaters: invalid definitions\n.*${message}`), name)
    }
  }
  for (const [value, message] of [
    [join(path, 'missing.ts'), /^headwaters: --events: no such file: '.*missing\.ts'; check the path/],
    [path, /^headwaters: --events: '.*' is a folder; name one file/],
  ] as const) {
    const { code, errors } = await runCommand(t, ['serve', '--events', value])
    t.equal(code, 2)
    t.match(errors, message)
  }
})

test('an error of the listener is logged and changes no reply', async t => {
  const { path, definitions, write } = await arrange(t)
  write('faulty.cjs', 'module.exports = () => { throw new Error("the listener broke") }')
  const { origin, said } = await startService(t, {}, ['serve', definitions, '--events', join(path, 'faulty.cjs')])
  t.equal((await fetch(`${origin}/words`)).status, 200)
  t.match(await said('onEvent failed'), { level: 50, aggregate: 'words', err: { message: 'the listener broke' } })
})
