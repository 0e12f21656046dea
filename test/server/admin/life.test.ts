import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test, type Test } from 'tap'
import { definitionsFolder, words } from '../../helpers/definitions-folder.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { runCommand, type Environment } from '../../helpers/service-process.ts'
import { adminService, scrape, valueOf } from './helpers/admin-service.ts'

const definitions = (origin: string) => `
import { aggregate, defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

const source = defineUpstream('source', { origin: '${origin}', attemptTimeout: 60_000 }, {
  ask: operation({ path: '/', output: z.unknown() }),
})
export const hung = aggregate('hung', { url: '/hung', deadline: 60_000 }).required('it', () => source.ask())
  .reply(z.unknown(), ({ it }) => it)
export const one = aggregate('one', { url: '/one' }).reply(z.number(), () => 1)
export const spin = aggregate('spin', { url: '/spin', deadline: 60_000 }).reply(z.unknown(), () => {
  const end = performance.now() + 6000
  while (performance.now() < end) {}
})
`

/** The service over an upstream that answers when the test says so. */
async function arrange(t: Test, environment: Environment, ...flags: readonly string[]) {
  const answers: (() => void)[] = []
  const upstream = await rawUpstream(t, socket => {
    answers.push(() => socket.write(json('at last')))
  })
  const { path } = definitionsFolder(t, { 'aggregates.mjs': definitions(upstream.origin) })
  const service = await adminService(t, environment, ['serve', path, ...flags])
  await service.said('serving')
  return { ...service, upstream, answers }
}

/** A port that another program uses. */
async function usedPort(t: Test): Promise<number> {
  const server = createServer()
  t.teardown(() => server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

const completeRuns = (aggregate: string) => `headwaters_runs_total{aggregate="${aggregate}",outcome="complete",code=""}`

for (const [title, flags] of [
  ['one process', []],
  ['workers', ['--workers', '2']],
] as const) {
  test(`with ${title} the admin listener stays open while the service drains, and closes last`, async t => {
    const { port, adminPort, upstream, answers, origin, stop, said, ended } = await arrange(t, {}, ...flags)
    t.match(await scrape(adminPort, { path: '/health/ready' }), {
      status: 200,
      text: /^\{"status":"ready","lostLogLines":0,"definitions":\{"loadedAt":"[^"]+"\}\}$/,
    })
    const inFlight = fetch(`${origin}/hung`)
    await upstream.asked(1)
    stop('SIGTERM')
    await said('draining')
    t.match(await scrape(adminPort, { path: '/health/ready' }), { status: 503, text: /"status":"draining"/ })
    t.match(await scrape(adminPort, { path: '/health/live' }), { status: 200 })
    t.match(await scrape(adminPort), { status: 200, text: /^headwaters_permits_in_use\{upstream="source"\} 1$/m })
    for (const answer of answers) answer()
    t.equal((await inFlight).status, 200)
    t.match(await ended, { code: 0, signal: null })
    for (const each of [port, adminPort]) await t.rejects(scrape(each), { code: 'ECONNREFUSED' })
  })

  test(`with ${title} an admin port that is in use ends the start with 1, and names the variable`, async t => {
    const port = await usedPort(t)
    const { code, output, errors } = await runCommand(t, ['serve', ...flags], { PORT: '0', ADMIN_PORT: String(port) })
    t.equal(code, 1)
    t.match(
      errors,
      `cannot listen at 127.0.0.1:${port}: the port is in use (EADDRINUSE); set ADMIN_PORT to another port`,
    )
    t.notMatch(output, 'Server listening', 'the service accepted no request')
  })

  test(`with ${title} a main port that is in use ends the start with 1, although the admin listener is open`, async t => {
    const port = await usedPort(t)
    const { code, errors } = await runCommand(t, ['serve', ...flags], { PORT: String(port), ADMIN_PORT: '0' })
    t.equal(code, 1)
    t.match(errors, `cannot listen at 127.0.0.1:${port}: the port is in use (EADDRINUSE); set PORT to another port`)
  })
}

test('the admin listener has the metrics of all workers, and each worker has them on the main port', async t => {
  const { port, adminPort } = await arrange(t, { HEADWATERS_ENV: 'development' }, '--workers', '2')
  const before = await scrape(adminPort)
  t.equal(valueOf(before.text, completeRuns('one')), 0, 'a run that has not happened is counted as 0')
  for (let times = 0; times < 20; times++) t.equal((await scrape(port, { path: '/one' })).status, 200)
  for (let times = 0; times < 4; times++) {
    t.equal(valueOf((await scrape(adminPort)).text, completeRuns('one')), 20)
    t.equal(valueOf((await scrape(port)).text, completeRuns('one')), 20, 'a scrape of any worker')
  }
})

test('the admin listener answers while all workers are blocked', async t => {
  const { adminPort, origin } = await arrange(t, { WORKER_HEARTBEAT_MS: '0' }, '--workers', '2')
  // Each new connection goes to the next worker.
  const blocked = Promise.all([0, 1].map(() => fetch(`${origin}/spin`)))
  let isOver = false
  void blocked.then(() => (isOver = true))
  t.match(await scrape(adminPort, { path: '/health/live' }), { status: 200 })
  const { status, text } = await scrape(adminPort)
  t.equal(status, 200)
  t.match(text, /^process_cpu_user_seconds_total /m)
  t.notOk(isOver, 'the workers are still blocked')
  for (const each of await blocked) t.equal(each.status, 200)
})

test('the admin listener survives a restart of the workers', async t => {
  const { pid, port, adminPort, said } = await arrange(t, {}, '--workers', '2')
  for (let times = 0; times < 4; times++) await scrape(port, { path: '/one' })
  process.kill(pid, 'SIGUSR2')
  await said('rolling restart completed')
  t.equal((await scrape(adminPort, { path: '/health/ready' })).status, 200)
  t.equal(valueOf((await scrape(adminPort)).text, completeRuns('one')), 4, 'the counters of stopped workers remain')
})

test('with --watch the admin listener survives a reload, and runs of the earlier definitions are counted', async t => {
  const waiting: (() => void)[] = []
  const upstream = await rawUpstream(t, socket => waiting.push(() => socket.write(json({ word: 'cat' }))))
  const { path, write } = definitionsFolder(t, { 'words.ts': words(upstream.origin) })
  const { port, adminPort, said, stop, ended } = await adminService(t, {}, ['serve', path, '--watch'])
  await said('serving')
  t.equal(valueOf((await scrape(adminPort)).text, completeRuns('words')), 0)
  const early = scrape(port, { path: '/words' })
  await upstream.asked(1)
  write('words.ts', words(upstream.origin, { name: 'others' }))
  await said('definitions reloaded')
  const { text } = await scrape(adminPort)
  t.equal(valueOf(text, completeRuns('others')), 0)
  t.equal(valueOf(text, completeRuns('words')), 0)
  waiting[0]?.()
  t.equal((await early).status, 200)
  t.equal(valueOf((await scrape(adminPort)).text, completeRuns('words')), 1)
  t.equal((await scrape(adminPort, { path: '/health/ready' })).status, 200)
  stop('SIGTERM')
  t.match(await ended, { code: 0 })
})
