import { test } from 'tap'
import { definitions, whoAnswers, workersService } from './helpers/workers-service.ts'

test('a worker that crashes is replaced, and only its own requests are lost', async t => {
  const { ask, said, saidTimes, upstream, answers, log } = await workersService(t)
  // Connections are given out in turn, so one of these is with each worker.
  const inFlight = [ask('/hung'), ask('/hung')].map(each =>
    each.then(
      ({ status, body }) => ({ status, pid: body.data.pid }),
      () => 'lost' as const,
    ),
  )
  await upstream.asked(2)
  t.equal(await ask('/crash').catch(() => 'cut'), 'cut')
  const { worker, workerPid } = await said('worker exited unexpectedly')
  t.match(await said('worker exited unexpectedly'), { level: 50, code: null, signal: 'SIGKILL' })
  for (const answer of answers) answer()
  const [lost, kept] = (await Promise.all(inFlight)).sort(each => (each === 'lost' ? -1 : 1))
  t.equal(lost, 'lost')
  t.match(kept, { status: 200 })

  const listening = await saidTimes('listening', 3)
  t.equal(listening[2]?.['worker'], worker, 'another has its place')
  const now = new Set((await whoAnswers(ask, 4)).map(({ pid }) => pid))
  t.equal(now.size, 2)
  t.notOk(now.has(workerPid as number))
  t.equal(log.filter(({ msg }) => msg === 'serving').length, 1)
})

test('workers that all crash at once listen at the same port again, also at a port that the system chose', async t => {
  const { ask, saidTimes, port } = await workersService(t)
  for (const { pid } of await whoAnswers(ask, 2)) process.kill(pid, 'SIGKILL')
  const listening = await saidTimes('listening', 4)
  t.ok(listening.every(({ msg }) => msg.endsWith(`:${port}`)))
  t.equal(new Set((await whoAnswers(ask, 4)).map(({ pid }) => pid)).size, 2)
})

test('an uncaught error ends its worker, with a log line that names the error', async t => {
  const { ask, said, saidTimes } = await workersService(t, {
    definitions: definitions({
      atLoad: 'if (cluster.isWorker) process.on("SIGUSR2", () => { throw new Error("left alone") })',
    }),
  })
  const [{ pid } = { pid: 0 }] = await whoAnswers(ask, 1)
  process.kill(pid, 'SIGUSR2')
  t.match(await said('uncaught error'), { level: 60, pid, worker: Number, err: { message: 'left alone' } })
  t.match(await said('worker exited unexpectedly'), { workerPid: pid, code: 1 })
  await saidTimes('listening', 3)
})

test('the process exits with 1, and not immediately, if no worker is left and none can be started', async t => {
  const { ask, said, ended, define, log } = await workersService(t)
  define('throw new Error("broken")')
  for (const { pid } of await whoAnswers(ask, 2)) process.kill(pid, 'SIGKILL')
  t.same(await ended, { code: 1, signal: null })
  t.match(await said('no worker is running'), { level: 60 })
  const vain = log.filter(({ msg }) => msg === 'worker failed to start')
  t.ok(vain.length >= 10, `${vain.length} starts in vain`)
  t.match(vain[0], { level: 50, faults: [/broken/] })
})
