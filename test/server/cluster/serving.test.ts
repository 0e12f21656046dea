import { Agent } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import tap, { test } from 'tap'
import { definitionsFolder } from '../../helpers/definitions-folder.ts'
import { runCommand, startService } from '../../helpers/service-process.ts'
import { definitions, whoAnswers, workersService, type Heard } from './helpers/workers-service.ts'

// Each of its services starts several processes.
tap.setTimeout(120_000)

test('workers share a port and take connections in turn, and each line of the log says which it is of', async t => {
  const { ask, said, log, port, pid } = await workersService(t)
  t.match(await said('serving'), { workers: 2, upstreams: 'as declared', pid })
  t.notOk('worker' in (await said('serving')), 'the primary says it')
  const answers = await whoAnswers(ask, 10)
  const [one, other, ...more] = new Set(answers.map(each => each.pid))
  t.same([more, [one, other].includes(pid)], [[], false])
  t.equal(answers.filter(each => each.pid === one).length, 5)
  t.equal(answers[0]?.task, undefined, 'definitions do not see the task of a worker')
  const listening = log.filter(({ msg }) => msg.includes('listening'))
  t.same(new Set(listening.map(({ worker }) => worker)), new Set([1, 2]))
  t.ok(listening.every(({ msg }) => msg.endsWith(`:${port}`)))
  t.equal(log.filter(({ msg }) => msg === 'serving').length, 1)
})

test('the built-in aggregates are served by workers, on the demo upstreams of the primary', async t => {
  const { origin, said } = await startService(t, { HEADWATERS_WORKERS: '2' })
  t.match(await said('serving'), { workers: 2, upstreams: 'demo' })
  for (let time = 0; time < 4; time++)
    t.equal((await fetch(`${origin}/v1/cat-facts?count=2`, { headers: { connection: 'close' } })).status, 200)
})

test('the concurrency of an upstream is that of all workers together', async t => {
  const { ask, upstream, answers } = await workersService(t, { definitions: definitions({ concurrency: 3 }) })
  const held: Promise<Heard>[] = []
  const refused: Heard[] = []
  // One after the other, so that each worker gets every second one.
  for (let time = 0; time < 10; time++) {
    const asked = ask('/hung')
    const heard = await Promise.race([asked, upstream.asked(held.length + 1)])
    if (heard === undefined) held.push(asked)
    else refused.push(heard)
  }
  t.equal(held.length, 3)
  t.ok(refused.every(({ status, body }) => status === 503 && body.code === 'BULKHEAD_FULL'))
  for (const answer of answers) answer()
  for (const { status } of await Promise.all(held)) t.equal(status, 200)
})

test('a client has its whole rate at one worker, and no more at all of them', async t => {
  const { ask } = await workersService(t, { environment: { RATE_LIMIT: '4' } })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  for (let time = 0; time < 4; time++) t.equal((await ask('/who', agent)).status, 200)
  for (let time = 0; time < 2; time++) t.match(await ask('/who'), { status: 429, body: { code: 'RATE_LIMITED' } })
})

test('with auto there are as many workers as partitions allow, and one worker is not a cluster', async t => {
  const { said, ask, pid } = await workersService(t, {
    flags: ['--workers', 'auto'],
    definitions: definitions({ concurrency: 1 }),
  })
  t.match(await said('serving'), { workers: 1 })
  t.match(
    (await said('serving'))['limitedBy'] ?? "upstream 'source': concurrency is 1",
    "upstream 'source': concurrency is 1",
  )
  t.same(
    (await whoAnswers(ask, 2)).map(each => each.pid),
    [pid, pid],
  )
})

test('--workers 1 is one process, whatever the environment says', async t => {
  const { said, ask, pid } = await workersService(t, {
    flags: ['--workers', '1'],
    environment: { HEADWATERS_WORKERS: '2' },
  })
  t.notOk('workers' in (await said('serving')))
  t.same(
    (await whoAnswers(ask, 2)).map(each => each.pid),
    [pid, pid],
  )
})

test('an invalid number of workers is refused before the service listens, with the reason and the fix', async t => {
  const { path } = definitionsFolder(t, { 'aggregates.mjs': definitions({ concurrency: 3 }) })
  for (const [args, environment, said] of [
    [
      ['--workers', '4'],
      {},
      /upstream 'source': concurrency is 3, too few for 4 workers: raise it to 4 or more, or start at most 3 workers/,
    ],
    [
      ['--workers', '4'],
      { HEADWATERS_UPSTREAM_SOURCE_CONCURRENCY: '8', MAX_RUNS: '2' },
      /\n {2}the service: MAX_RUNS is 2/,
    ],
    [['--workers', '0'], {}, /^headwaters: --workers must be an integer from 1 to 1024, or auto, got '0'\n/],
    [['--workers', 'many'], {}, /, got 'many'\n/],
    [[], { HEADWATERS_WORKERS: 'two' }, /HEADWATERS_WORKERS: must be an integer/],
  ] as const) {
    const { code, output, errors } = await runCommand(t, ['serve', path, ...args], { PORT: '0', ...environment })
    t.same([code, output], [2, ''], args.join(' '))
    t.match(errors, said)
  }
})

test('workers that cannot start end the process as one process would end, and say why once', async t => {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  for (const [atLoad, environment, code, said] of [
    ['', { PORT: String(port) }, 1, /^headwaters: .*EADDRINUSE.*\n$/],
    [
      'if (cluster.isWorker) throw new Error("not in a worker")',
      { PORT: '0' },
      2,
      /^headwaters: invalid definitions\n.*not in a worker.*\n$/,
    ],
    [
      'if (cluster.isWorker) process.exit(3)',
      { PORT: '0' },
      1,
      /^headwaters: Error: worker [12] exited with code 3 before it listened\n/,
    ],
  ] as const) {
    const { path } = definitionsFolder(t, { 'aggregates.mjs': definitions({ atLoad }) })
    const ended = await runCommand(t, ['serve', path, '--workers', '2'], environment)
    t.same([ended.code, ended.output], [code, ''])
    t.match(ended.errors, said)
  }
})
