import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test, type Test } from 'tap'
import { childEnvironment } from '../helpers/child-environment.ts'
import { definitionsFolder, words } from '../helpers/definitions-folder.ts'
import { json, rawUpstream, written, type RawUpstream } from '../helpers/raw-upstream.ts'
import { runCommand } from '../helpers/service-process.ts'

const ninja = json({ fact: 'Cats purr.', length: 10 })
const meow = json({ data: ['Cats meow.'] })
const root = join(import.meta.dirname, '../..')

/** The upstreams of cat-facts, of which the pictures always fail. */
async function catUpstreams(t: Test): Promise<Record<string, string>> {
  const origins = await Promise.all([rawUpstream(t, ninja), rawUpstream(t, meow), rawUpstream(t, json({}, 500))])
  return Object.fromEntries(
    ['CATFACT_NINJA', 'MEOWFACTS', 'THE_CAT_API'].map((name, index) => [
      `HEADWATERS_UPSTREAM_${name}_ORIGIN`,
      (origins[index] as RawUpstream).origin,
    ]),
  )
}

test('in a pipe the data is all there is on stdout, and stderr has a plain line for each start and end', async t => {
  const { code, output, errors } = await runCommand(t, ['run', 'cat-facts', '--count', '3'], await catUpstreams(t))
  t.equal(code, 0)
  t.match(JSON.parse(output), { facts: [{ text: 'Cats purr.' }, { text: 'Cats meow.' }], picture: null })
  t.notMatch(output + errors, '\x1b', 'without escapes')
  t.match(
    errors
      .replaceAll(/\d+\.\d/g, 'N')
      .split('\n')
      .map(line => line.trim())
      .sort(),
    [
      '',
      'N ms  meow     ok after N ms, 1 attempt',
      'N ms  meow     started',
      'N ms  ninja    ok after N ms, 3 attempts, 3/3 calls',
      'N ms  ninja    started',
      'N ms  not complete, in N ms',
      'N ms  picture  fallback after N ms, 2 attempts: UPSTREAM_STATUS (500), answered with an unexpected status',
      'N ms  picture  started',
    ],
  )
})

test('with --json stdout is the whole reply as one document, and nothing else is said', async t => {
  const { code, output, errors } = await runCommand(
    t,
    ['run', 'cat-facts', '--count=2', '--json'],
    await catUpstreams(t),
  )
  t.equal(code, 0)
  t.equal(errors, '')
  t.match(JSON.parse(output), {
    data: { facts: Array },
    complete: false,
    sources: { ninja: { state: 'ok', calls: 2 }, meow: { state: 'ok' }, picture: { state: 'fallback', status: 500 } },
  })
})

test('a run that fails ends with 1, and prints the problem that a caller would get', async t => {
  const environment = { ...(await catUpstreams(t)), HEADWATERS_UPSTREAM_CATFACT_NINJA_OFF: '1' }
  const plain = await runCommand(t, ['run', 'cat-facts'], environment)
  t.equal(plain.code, 1)
  t.equal(plain.output, '')
  t.match(plain.errors, "503 Upstream switched off: Step 'ninja': catfact-ninja is switched off by configuration.")
  t.match(plain.errors, /failed after .*: UPSTREAM_OFF/)
  const asJson = await runCommand(t, ['run', 'cat-facts', '--json'], environment)
  t.equal(asJson.code, 1)
  t.equal(asJson.errors, '')
  t.match(JSON.parse(asJson.output), { status: 503, code: 'UPSTREAM_OFF', sources: { ninja: { state: 'failed' } } })
})

test('a context() that fails has the first line, and is the failed source', async t => {
  const upstream = await rawUpstream(t, json({}, 404))
  const { path } = definitionsFolder(t, {
    'words.ts': words(upstream.origin).replace(
      "  .required('word'",
      "  .context(({ query }) => source.word(query))\n  .required('word'",
    ),
  })
  const plain = await runCommand(t, ['run', 'words', path])
  t.equal(plain.code, 1)
  const [first = '', second = '', ...rest] = plain.errors.replaceAll(/\d+\.\d/g, 'N').split('\n')
  t.match(first, /^ +N ms {2}context {2}started$/)
  t.match(
    second,
    'N ms  context  failed after N ms, 1 attempt: UPSTREAM_STATUS (404), answered with an unexpected status',
  )
  t.match(rest.join(), "502 Unexpected upstream status: Step 'context': word-source answered with an unexpected status")
  t.match(JSON.parse((await runCommand(t, ['run', 'words', path, '--json'])).output), {
    sources: { context: { state: 'failed', status: 404, code: 'UPSTREAM_STATUS' }, word: { state: 'cancelled' } },
  })
})

test('a refusal of the author is printed', async t => {
  const { code, errors } = await runCommand(t, ['run', 'breed', '--breed', 'nobody'])
  t.equal(code, 1)
  t.match(errors, '404 Refused: No breed has this name.')
})

test('--fault acts on the calls of its step, and may be repeated', async t => {
  const args = ['run', 'cat-facts', '--count', '1', '--json', '--fault', 'meow=delay:50', '--fault', 'picture=fail:503']
  const { code, output } = await runCommand(t, args)
  t.equal(code, 0)
  const plain = await runCommand(t, ['run', 'cat-facts', '--count', '1', '--fault', 'picture=drop'])
  t.match(plain.errors, /picture  fallback after [\d.]+ ms, 0 attempts, rehearsed drop: UPSTREAM_RESET/)
  t.match(JSON.parse(output), {
    complete: false,
    sources: { meow: { fault: 'delay:50' }, picture: { state: 'fallback', code: 'UPSTREAM_BUSY', fault: 'fail:503' } },
  })
  const streamed = await runCommand(t, ['run', 'cat-facts', '--count', '1', '--stream', '--fault', 'picture=drop'])
  t.match(streamed.output, /"name":"picture","outcome":\{[^}]*"fault":"drop"/)
})

test("--deadline shortens the run's", async t => {
  const upstream = await rawUpstream(t, () => {})
  const { code, errors } = await runCommand(t, ['run', 'cat-facts', '--deadline', '120'], {
    ...(await catUpstreams(t)),
    HEADWATERS_UPSTREAM_CATFACT_NINJA_ORIGIN: upstream.origin,
  })
  t.equal(code, 1)
  t.match(errors, /504 Deadline exceeded: .*120 ms/)
  await upstream.deserted()
})

test('definitions of a folder where nothing is installed run, and call what they declare', async t => {
  const upstream = await rawUpstream(t, json({ word: 'cat' }))
  const { path } = definitionsFolder(t, { 'words.ts': words(upstream.origin) })
  const { code, output } = await runCommand(t, ['run', 'words', path, '--of', 'a b'])
  t.equal(code, 0)
  t.same(JSON.parse(output), { word: 'cat' })
  t.same(
    upstream.requests.map(request => request.path),
    ['/word?of=a%20b'],
  )
})

test('the environment reaches the upstreams of definitions, and names of others are refused', async t => {
  const upstream = await rawUpstream(t, json({ word: 'cat' }))
  const { path } = definitionsFolder(t, { 'words.ts': words('http://127.0.0.1:9') })
  const moved = await runCommand(t, ['run', 'words', path], { HEADWATERS_UPSTREAM_WORD_SOURCE_ORIGIN: upstream.origin })
  t.same([moved.code, JSON.parse(moved.output)], [0, { word: 'cat' }])
  const refused = await runCommand(t, ['run', 'words', path], { HEADWATERS_UPSTREAM_MEOWFACTS_OFF: '1' })
  t.equal(refused.code, 2)
  t.match(refused.errors, 'HEADWATERS_UPSTREAM_MEOWFACTS_OFF: matches no upstream: the upstreams are word-source')
})

test('definitions that cannot be used end with 2 and every fault', async t => {
  const { path } = definitionsFolder(t, { 'a.ts': 'throw new Error("one")', 'b.ts': 'throw new Error("two")' })
  const { code, output, errors } = await runCommand(t, ['run', 'words', path])
  t.equal(code, 2)
  t.equal(output, '')
  t.equal(
    errors,
    `headwaters: invalid definitions\n  ${path}/a.ts:1:7: throws when it is loaded: Error: one\n` +
      `  ${path}/b.ts:1:7: throws when it is loaded: Error: two\n`,
  )
})

test('integers of 64 bits are exact in what is given and in what is printed', async t => {
  const upstream = await rawUpstream(t, written(200, { 'content-type': 'application/json' }, '{"id":9007199254740993}'))
  const { path } = definitionsFolder(t, {
    'item.ts': `
import { aggregate, defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

const source = defineUpstream('items', { origin: '${upstream.origin}' }, {
  item: operation({ path: '/{id}', params: z.object({ id: z.bigint() }), output: z.object({ id: z.bigint() }) }),
})

export const item: unknown = aggregate('item', { url: '/item', body: z.object({ id: z.bigint() }), deadline: 5000 })
  .required('item', ({ body }) => source.item(body))
  .reply(z.object({ id: z.bigint() }), ({ item }) => item)
`,
  })
  const { code, output } = await runCommand(t, ['run', 'item', path, '--body', '{"id":9007199254740995}'])
  t.equal(code, 0)
  t.equal(output, '{\n  "id": 9007199254740993\n}\n')
  t.same(
    upstream.requests.map(request => request.path),
    ['/9007199254740995'],
  )
})

test('definitions that keep the process busy do not keep the command', async t => {
  const upstream = await rawUpstream(t, json({ word: 'cat' }))
  const { path } = definitionsFolder(t, { 'words.ts': `${words(upstream.origin)}\nsetInterval(() => {}, 1000)` })
  t.equal((await runCommand(t, ['run', 'words', path])).code, 0)
})

test('a bug of an author is shown with its stack', async t => {
  const upstream = await rawUpstream(t, json({ word: 'cat' }))
  const { path } = definitionsFolder(t, {
    'words.ts': words(upstream.origin).replace(
      '({ query }) => source',
      '({ query }) => { if (query.of !== "more") throw new RangeError("my bug"); return source.word(query) })' +
        '.required("more", ({ query }) => source',
    ),
  })
  const { code, errors } = await runCommand(t, ['run', 'words', path])
  t.equal(code, 1)
  t.match(errors, '500 Internal error')
  t.match(errors, /^RangeError: my bug\n +at .*words\.ts/m)
})

test('SIGINT cancels the run: its calls are cut, and it ends with 130', async t => {
  const upstream = await rawUpstream(t, () => {})
  const { path } = definitionsFolder(t, { 'words.ts': words(upstream.origin) })
  const child = spawn(process.execPath, ['src/cli.ts', 'run', 'words', path], {
    cwd: root,
    env: childEnvironment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const [output, errors] = [text(child.stdout), text(child.stderr)]
  await upstream.asked(1)
  child.kill('SIGINT')
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  t.same([code, signal], [130, null])
  t.equal(await output, '')
  t.match(await errors, /word {2}cancelled after .*\n.*cancelled after/)
  await upstream.deserted()
})

test('a reader that closes the pipe early is not a fault', async t => {
  const child = spawn('bash', ['-c', `set -o pipefail; "${process.execPath}" src/cli.ts openapi | head -n 1`], {
    cwd: root,
    env: childEnvironment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [output, errors] = [text(child.stdout), text(child.stderr)]
  const [code] = (await once(child, 'close')) as [number | null]
  t.match(await output, /^openapi: /)
  t.equal(await errors, '')
  t.equal(code, 0)
})

test('a reply without a value is printed as null, as it is sent over HTTP', async t => {
  const { path } = definitionsFolder(t, {
    'none.ts': `
import { aggregate } from 'headwaters'
import { z } from 'zod'

export const none = aggregate('none', { url: '/none' }).reply(z.string().optional(), () => undefined)
`,
  })
  t.match(await runCommand(t, ['run', 'none', path]), { code: 0, output: 'null\n' })
  const { output } = await runCommand(t, ['run', 'none', path, '--json'])
  t.same(JSON.parse(output), { data: null, complete: true, sources: {} })
})
