import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'tap'
import type { StreamEvent } from '../../src/client/index.ts'
import { childEnvironment } from '../helpers/child-environment.ts'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { runCommand } from '../helpers/service-process.ts'
import { openTerminal, whyNoTerminal } from '../helpers/terminal.ts'

const root = join(import.meta.dirname, '../..')

/** An aggregate with a list, an optional step and a merge for snapshots. */
const definitions = (origin: string) => `
import { aggregate, defineUpstream, operation, refuse, times } from 'headwaters'
import { z } from 'zod'
const cats = defineUpstream('cats', { origin: '${origin}', attemptTimeout: 10000 }, {
  fact: operation({ path: '/fact', output: z.object({ text: z.string() }) }),
  more: operation({ path: '/more', output: z.object({ text: z.string() }) }),
})
export const facts = aggregate('facts', { url: '/facts', query: z.object({ count: z.coerce.number() }), deadline: 10000 })
  .each('facts', ({ query }) => times(query.count, () => cats.fact()))
  .optional('more', () => cats.more(), { fallback: null, timeout: 9000 })
  .reply(z.object({ count: z.number(), more: z.string().nullable() }), ({ facts, more }) => {
    if (facts.length > 3) refuse(409, 'There are too many facts.')
    return { count: facts.length, more: more?.text ?? null }
  })
export const strict = aggregate('strict', { url: '/strict', deadline: 10000 })
  .required('fact', () => cats.fact())
  .optional('more', () => cats.more(), { fallback: null, timeout: 9000 })
  .reply(z.string(), ({ more }) => more!.text)
`

/** An upstream that answers /fact at once, and /more when the test says so. */
async function catsUpstream(t: Parameters<typeof rawUpstream>[0]) {
  let answer = (): void => {}
  const upstream = await rawUpstream(t, (socket, { path }) => {
    if (path === '/fact') socket.write(json({ text: 'They purr.' }))
    else answer = () => socket.write(json({ text: 'They sleep.' }))
  })
  const { path } = definitionsFolder(t, { 'cats.ts': definitions(upstream.origin) })
  return { path, upstream, answer: () => answer() }
}

const eventsOf = (output: string) =>
  output
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as StreamEvent)

test('with --stream stdout has each event as it happens, and the last one has the reply of --json', async t => {
  const { path, answer } = await catsUpstream(t)
  const child = spawn(process.execPath, ['src/cli.ts', 'run', 'facts', path, '--count', '2', '--stream'], {
    cwd: root,
    env: childEnvironment,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const events: StreamEvent[] = []
  for await (const line of createInterface(child.stdout)) {
    events.push(JSON.parse(line) as StreamEvent)
    if (events.at(-1)?.event === 'snapshot') answer()
  }
  t.match(events.slice(0, 5), [
    {
      event: 'plan',
      run: /^[\da-f-]{36}$/,
      deadline: 10_000,
      steps: [
        { name: 'facts', kind: 'each', needs: [] },
        { name: 'more', kind: 'optional', needs: [] },
      ],
    },
    { event: 'item', name: 'facts', calls: 2, state: 'ok' },
    { event: 'item', name: 'facts', calls: 2, state: 'ok' },
    { event: 'source', name: 'facts', outcome: { state: 'ok', calls: 2, ok: 2 } },
    { event: 'snapshot', data: { count: 2, more: null }, complete: false, pending: ['more'] },
  ])
  t.match(events.slice(5), [
    { event: 'source', name: 'more', outcome: { state: 'ok', status: 200 } },
    {
      event: 'reply',
      status: 200,
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: { data: { count: 2, more: 'They sleep.' }, complete: true, sources: { facts: {}, more: {} } },
    },
  ])
  t.equal(events.length, 7)
})

test('with --stream a run that fails after its plan ends with its problem, and exits with 1', async t => {
  const { path } = await catsUpstream(t)
  const args = ['run', 'facts', path, '--count', '4', '--stream', '--deadline', '2000']
  const { code, output, errors } = await runCommand(t, args)
  t.equal(code, 1)
  const events = eventsOf(output)
  t.equal(events[0]?.event, 'plan')
  t.match(events.at(-1), {
    event: 'problem',
    status: 409,
    headers: { 'content-type': /^application\/problem\+json/ },
    body: { code: 'REFUSED', detail: 'There are too many facts.', instance: /^urn:headwaters:request:/ },
  })
  t.match(errors, /409 .*There are too many facts\./)
})

test('with --stream a dropped snapshot is a warning with its reason, and the run goes on', async t => {
  const { path } = await catsUpstream(t)
  const { code, output, errors } = await runCommand(t, ['run', 'strict', path, '--stream', '--deadline', '500'])
  t.equal(code, 1)
  t.notMatch(output, '"event":"snapshot"')
  t.match(errors, /aggregate 'strict': a snapshot could not be made before the end of 'more': /)
  t.match(errors, /because: Cannot read properties of null/)
})

test('with --stream a wrong input prints no event, and exits with 2', async t => {
  const { path } = await catsUpstream(t)
  const { code, output, errors } = await runCommand(t, ['run', 'facts', path, '--count', 'many', '--stream'])
  t.same([code, output], [2, ''])
  t.match(errors, '--count: ')
})

test('--stream and --json exclude each other', async t => {
  const { code, errors } = await runCommand(t, ['run', 'cat-facts', '--stream', '--json'])
  t.equal(code, 2)
  t.match(errors, '--json prints one document, and --stream prints many: remove one of these options')
})

test('on a terminal the events of --stream stay above the drawing of the steps', { skip: whyNoTerminal() }, async t => {
  const { path, answer } = await catsUpstream(t)
  const terminal = await openTerminal(t)
  await terminal.type(`clear; node src/cli.ts run facts ${path} --count 1 --stream; echo "[ended: $?]"`)
  const isDrawn = (lines: readonly string[]) => lines.some(line => /^more {2,}running/.test(line))
  const shown = await terminal.until(lines => lines.some(line => line.includes('"snapshot"')) && isDrawn(lines))
  const step = shown.findIndex(line => line.startsWith('step '))
  t.ok(step > shown.findLastIndex(line => line.includes('"event"')), 'the drawing is below the events')
  t.equal(shown.filter(line => line.startsWith('step ')).length, 1, 'the drawing is there once')
  answer()
  const last = await terminal.until(lines => lines.includes('[ended: 0]'))
  t.match(last.join(''), /"event":"reply"/)
  t.equal(last.filter(line => line.startsWith('step ')).length, 1)
  t.ok(await terminal.hasCursor())
})
