import { test } from 'tap'
import { definitions, workersService } from './helpers/workers-service.ts'

test('a worker that does not end in its time is killed, and the exit code says so', async t => {
  const { ask, said, upstream, answers, stop, ended } = await workersService(t, { environment: { DRAIN_MS: '100' } })
  const stuck = ask('/stuck').then(
    () => 'answered',
    () => 'cut',
  )
  await upstream.asked(1)
  answers[0]?.()
  // The other one is asked, while this one is held up for ever.
  t.equal((await ask('/who')).status, 200)
  stop('SIGTERM')
  t.same(await ended, { code: 1, signal: null })
  t.match(await said('did not stop in time'), { level: 50, worker: Number })
  t.equal(await stuck, 'cut')
})

test('a restart does not wait for ever for a worker that does not end', async t => {
  const { ask, said, upstream, answers, stop } = await workersService(t, { environment: { DRAIN_MS: '100' } })
  const stuck = ask('/stuck').then(
    () => 'answered',
    () => 'cut',
  )
  await upstream.asked(1)
  answers[0]?.()
  t.equal((await ask('/who')).status, 200)
  stop('SIGUSR2')
  t.match(await said('did not stop in time'), { level: 50, worker: Number })
  await said('rolling restart completed')
  t.equal(await stuck, 'cut')
})

test('a worker that fails while it drains makes the exit code 1', async t => {
  const atLoad = 'if (cluster.isWorker) process.on("SIGUSR2", () => { throw new Error("left alone") })'
  const { ask, said, saidTimes, upstream, stop, ended } = await workersService(t, {
    definitions: definitions({ atLoad }),
  })
  const lost = ask('/hung').then(
    () => 'answered',
    () => 'cut',
  )
  await upstream.asked(1)
  stop('SIGTERM')
  // The other one ends at once; this one has a request.
  const draining = await saidTimes('draining', 3)
  const pids = draining.flatMap(({ worker, pid }) => (worker === undefined ? [] : [pid as number]))
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGUSR2')
    } catch {
      // It has ended.
    }
  }
  t.same(await ended, { code: 1, signal: null })
  t.match(await said('while draining'), { level: 50, code: 1 })
  t.equal(await lost, 'cut')
})
