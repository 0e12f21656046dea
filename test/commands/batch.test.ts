import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test, type Test } from 'tap'
import { childEnvironment } from '../helpers/child-environment.ts'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { runCommand } from '../helpers/service-process.ts'
import { openTerminal, whyNoTerminal } from '../helpers/terminal.ts'

const root = join(import.meta.dirname, '../..')

const definitions = (origin: string) => `
import { aggregate, defineUpstream, operation } from 'headwaters'
import { z } from 'zod'
const cats = defineUpstream('cats', { origin: '${origin}', attemptTimeout: 4000 }, {
  cat: operation({
    path: '/cats/{id}', params: z.object({ id: z.string() }), batch: true,
    output: z.object({ id: z.string(), owner: z.string(), chip: z.bigint() }),
  }),
  owner: operation({ path: '/owners/{id}', params: z.object({ id: z.string() }), output: z.object({ name: z.string() }), batch: true }),
  secret: operation({ path: '/secret', output: z.object({}) }),
})
export const tag = aggregate('tag', { url: '/tags/{id}', params: z.object({ id: z.string() }), batch: true })
  .required('cat', ({ params }) => cats.cat({ id: params.id }))
  .reply(z.object({ tag: z.string() }), ({ cat }) => ({ tag: cat.id + ' of ' + cat.owner }))
`

/** Two calls, of which the second one needs the first, and an aggregate. */
const calls = [
  { id: 'cat', operation: 'cats.cat', input: { id: 'tom' } },
  { id: 'owner', operation: 'cats.owner', input: { id: { $ref: 'cat#/data/owner' } } },
  { id: 'tag', operation: 'tag', input: { params: { id: 'tom' } } },
]

/** An upstream of cats; \`/owners/held\` waits. */
async function catsFolder(t: Test, body: unknown) {
  const upstream = await rawUpstream(t, (socket, { path }) => {
    if (path === '/owners/ada') socket.write(json({ name: 'Ada' }))
    else if (path.startsWith('/cats/none')) socket.write(json({}, 404))
    else if (path.startsWith('/cats/'))
      socket.write(
        'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 54\r\n\r\n' +
          '{"id":"tom","owner":"ada","chip":9007199254740993    }'.padEnd(54),
      )
  })
  const { path } = definitionsFolder(t, {
    'cats.ts': definitions(upstream.origin),
    'calls.json': JSON.stringify(body),
  })
  return { upstream, definitions: join(path, 'cats.ts'), file: join(path, 'calls.json') }
}

test('the calls of a file run in the order of their needs, and stdout has the results', async t => {
  const { upstream, definitions: cats, file } = await catsFolder(t, { calls })
  const { code, output, errors } = await runCommand(t, ['batch', file, cats])
  t.equal(code, 0)
  t.match(JSON.parse(output), {
    results: [
      { id: 'cat', operation: 'cats.cat', state: 'ok', status: 200, data: { owner: 'ada' } },
      { id: 'owner', operation: 'cats.owner', state: 'ok', status: 200, data: { name: 'Ada' } },
      { id: 'tag', operation: 'tag', state: 'ok', status: 200, data: { tag: 'tom of ada' }, complete: true },
    ],
    complete: true,
  })
  t.match(output, '"chip": 9007199254740993', 'an integer of 64 bits is exact')
  const requests = upstream.requests.map(({ path }) => path)
  t.ok(requests.indexOf('/owners/ada') > requests.indexOf('/cats/tom'))
  for (const id of ['cat', 'owner', 'tag']) {
    t.match(errors, new RegExp(`ms {2}${id} +started`))
    t.match(errors, new RegExp(`ms {2}${id} +ok after `))
  }
  t.match(errors, /complete, in \d/)
  t.equal(errors.split('\n').length, 8, 'the steps of aggregates have no lines')
})

test('a batch is read from stdin, and a failed call exits with 1 and names its reason', async t => {
  const { definitions: cats } = await catsFolder(t, {})
  const child = spawn(process.execPath, ['src/cli.ts', 'batch', '-', cats], { cwd: root, env: childEnvironment })
  child.stdin.end(JSON.stringify({ calls: [{ ...calls[0], input: { id: 'none' } }, calls[1]] }))
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  t.equal(code, 1)
  t.match(JSON.parse(output), {
    results: [
      { id: 'cat', state: 'failed', problem: { code: 'UPSTREAM_STATUS' } },
      { id: 'owner', state: 'notSent', status: 424, problem: { code: 'DEPENDENCY_FAILED' } },
    ],
    complete: false,
  })
  t.match(errors, /cat +failed after .*: UPSTREAM_STATUS/)
})

test('a batch with faults sends nothing, prints each fault with its place, and exits with 2', async t => {
  const wrong = [
    { id: 'a', operation: 'cats.secret' },
    { id: 'a', operation: 'none' },
  ]
  const { upstream, definitions: cats, file } = await catsFolder(t, { calls: wrong })
  const { code, output, errors } = await runCommand(t, ['batch', file, cats])
  t.same([code, output], [2, ''])
  t.match(errors, `${file} /calls/0/operation: `)
  t.match(errors, `${file} /calls/1/id: `)
  t.match(errors, `${file} /calls/1/operation: `)
  t.equal(upstream.requests.length, 0)
  const asJson = await runCommand(t, ['batch', file, cats, '--json'])
  t.equal(asJson.code, 2)
  t.match(JSON.parse(asJson.output), { code: 'INPUT_INVALID', errors: Array })
})

test('with --stream stdout has the plan, each result when its call has ended, and the reply of --json', async t => {
  const { definitions: cats, file } = await catsFolder(t, { calls })
  const { code, output } = await runCommand(t, ['batch', file, cats, '--stream'])
  t.equal(code, 0)
  const events = output
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as { event: string; id?: string; body?: unknown })
  t.match(events[0], {
    event: 'plan',
    run: /^[\da-f-]{36}$/,
    deadline: 5000,
    calls: [
      { id: 'cat', needs: [] },
      { id: 'owner', needs: ['cat'] },
      { id: 'tag', needs: [] },
    ],
  })
  t.same(
    events
      .slice(1, -1)
      .map(({ event, id }) => `${event} ${id}`)
      .toSorted(),
    ['call cat', 'call owner', 'call tag'],
  )
  t.match(events.at(-1), { event: 'reply', status: 200, headers: { 'cache-control': 'no-store' } })
  t.match(events.at(-1)?.body, { results: [{ id: 'cat' }, { id: 'owner' }, { id: 'tag' }], complete: true })
})

test('--deadline ends a batch, and the calls that have not ended are 504', async t => {
  const {
    upstream,
    definitions: cats,
    file,
  } = await catsFolder(t, {
    calls: [{ id: 'a', operation: 'cats.owner', input: { id: 'held' } }],
  })
  const { code, output, errors } = await runCommand(t, ['batch', file, cats, '--deadline', '150', '--json'])
  t.equal(code, 1)
  t.equal(errors, '')
  t.match(JSON.parse(output), { results: [{ id: 'a', state: 'failed', status: 504 }] })
  await upstream.deserted()
})

test('SIGINT cancels a batch and its calls, and exits with 130', async t => {
  const {
    upstream,
    definitions: cats,
    file,
  } = await catsFolder(t, {
    calls: [{ id: 'a', operation: 'cats.owner', input: { id: 'held' } }],
  })
  const child = spawn(process.execPath, ['src/cli.ts', 'batch', file, cats], { cwd: root, env: childEnvironment })
  t.teardown(() => child.kill('SIGKILL'))
  const output = text(child.stdout)
  await upstream.asked(1)
  child.kill('SIGINT')
  const [code] = (await once(child, 'close')) as [number | null]
  t.same([code, await output], [130, ''])
  await upstream.deserted()
})

test('the arguments of batch that are wrong exit with 2 and say what to do', async t => {
  const { definitions: cats, file } = await catsFolder(t, { calls })
  for (const [args, message] of [
    [[], 'batch needs a file with the calls, for example: headwaters batch calls.json, or - for stdin'],
    [['none.json'], 'batch none.json: cannot read the file: ENOENT'],
    [[cats], `batch ${cats} must be JSON: `],
    [[file, 'no-such-folder'], "batch: no such file or folder: 'no-such-folder'"],
    [[file, cats, '--json', '--stream'], '--json prints one document, and --stream prints many'],
    [[file, cats, '--live'], '--live applies to the built-in upstreams only'],
    [[file, cats, '--deadline', 'soon'], '--deadline must be a positive integer (ms)'],
    [[file, cats, '--header', 'a'], "--header must be 'name: value'"],
  ] as const) {
    const { code, output, errors } = await runCommand(t, ['batch', ...args])
    t.same([code, output], [2, ''], args.join(' '))
    t.match(errors, message)
  }
  const off = await runCommand(t, ['batch', file, cats], { BATCH_MAX_CALLS: '0' })
  t.match(off, { code: 2, errors: /BATCH_MAX_CALLS is 0, which turns batches off: set another value/ })
})

test('on a terminal the calls of a batch are drawn while they run', { skip: whyNoTerminal() }, async t => {
  const held = { id: 'held', operation: 'cats.owner', input: { id: 'held' } }
  const { definitions: cats, file } = await catsFolder(t, { calls: [calls[0], held] })
  const terminal = await openTerminal(t)
  await terminal.type(`clear; node src/cli.ts batch ${file} ${cats}; echo "[ended: $?]"`)
  const shown = await terminal.until(
    lines => lines.some(line => /^held +running/.test(line)) && lines.some(line => /^cat +ok/.test(line)),
  )
  t.match(shown.join('\n'), /^batch {2}POST \/v1\/batch\n\nstep +state +0 +5000 ms │/m)
  await terminal.press('C-c')
  const last = await terminal.until(lines => lines.includes('[ended: 130]'))
  t.equal(last.filter(line => line.startsWith('step ')).length, 1, 'the drawing is there once')
})
